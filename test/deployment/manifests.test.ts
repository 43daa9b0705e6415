import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { loadAgentSettings } from "@headrace/shared/settings/load-agent-settings"
import { loadOperatorSettings } from "@headrace/shared/settings/load-operator-settings"
import { load, loadAll } from "js-yaml"
import { describe, expect, it } from "vitest"

const CONFIG = join(import.meta.dirname, "../../config")
const POD_SAMPLES = ["samples/sidecar", "samples/init-container"]
const FOLDERS = ["base", "base/plugin", "base/bootstrapper", "base/agent", "overlays/example", ...POD_SAMPLES]
const noKubectl = spawnSync("kubectl", ["version", "--client"]).status !== 0

interface Kustomization {
  resources: string[]
  configMapGenerator?: { files: string[] }[]
}

interface Container {
  args?: string[]
  restartPolicy?: string
  securityContext?: object
  volumeMounts: { name: string; mountPath: string }[]
}

interface Pod {
  metadata: { namespace: string }
  spec: {
    serviceAccountName: string
    securityContext: object
    initContainers: [Container]
    containers: [Container]
    volumes: { name: string; emptyDir?: object; hostPath?: object; configMap?: { name: string } }[]
  }
}

interface AccessObject {
  kind: string
  metadata: { name: string; namespace: string }
  rules?: { resources: string[]; verbs: string[] }[]
  roleRef?: { kind: string; name: string }
  subjects?: { name: string; namespace: string }[]
}

function textOf(...path: string[]): string {
  return readFileSync(join(CONFIG, ...path), "utf8")
}

describe("manifests", () => {
  it.each(FOLDERS)("%s names files that are there, and forgets none", (folder) => {
    const kustomization = load(
      readFileSync(join(CONFIG, folder, "kustomization.yaml"), "utf8"),
    ) as Kustomization
    const generated = (kustomization.configMapGenerator ?? []).flatMap(({ files }) => files)
    const named = [...kustomization.resources, ...generated]
    for (const name of named) expect(existsSync(join(CONFIG, folder, name)), name).toBe(true)
    const files = readdirSync(join(CONFIG, folder)).filter((name) =>
      statSync(join(CONFIG, folder, name)).isFile(),
    )
    expect(named).toEqual(expect.arrayContaining(files.filter((name) => name !== "kustomization.yaml")))
  })

  it("run no container as root without saying why, and none with more rights than it names", () => {
    for (const file of ["plugin/deployment.yaml", "bootstrapper/cronjob.yaml", "agent/daemonset.yaml"]) {
      const text = readFileSync(join(CONFIG, "base", file), "utf8")
      expect(loadAll(text).length).toBeGreaterThan(0)
      expect(text).toContain("drop: [ALL]")
      expect(text).toContain("readOnlyRootFilesystem: true")
      expect(text).toContain("allowPrivilegeEscalation: false")
    }
  })

  it.skipIf(noKubectl)(
    `build with kubectl kustomize${noKubectl ? " (not run: no kubectl here)" : ""}`,
    () => {
      for (const folder of FOLDERS) {
        const built = spawnSync("kubectl", ["kustomize", join(CONFIG, folder)], { encoding: "utf8" })
        expect(built.status, built.stderr).toBe(0)
      }
    },
  )
})

describe("samples", () => {
  it.each(["samples", "overlays/example"])("of %s load as they are", async (folder) => {
    const operator = await loadOperatorSettings(join(CONFIG, folder, "headrace.yaml"))
    const agent = await loadAgentSettings(join(CONFIG, folder, "agent.yaml"))

    expect(Object.keys(operator.sources)).toEqual(["release"])
    expect(Object.keys(agent.projections)).toEqual(["job-config"])
  })
})

describe("samples of an agent in a pod", () => {
  it.each([
    { folder: "samples/sidecar/pod.yaml", level: "restricted" },
    { folder: "samples/init-container/pod.yaml", level: "restricted" },
    { folder: "base/agent/daemonset.yaml", level: "privileged" },
  ])("$folder names the pod security level that it needs: $level", ({ folder, level }) => {
    expect(textOf(folder)).toContain(`# Pod security level: ${level}`)
    expect(/\bhostPath:/.test(textOf(folder))).toBe(level === "privileged")
  })

  it.each(POD_SAMPLES)("%s passes the level restricted, and projects to an emptyDir", async (folder) => {
    const { spec } = load(textOf(folder, "pod.yaml")) as Pod
    const [agent] = spec.initContainers
    const [consumer] = spec.containers
    expect(spec.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    })
    for (const { securityContext } of [agent, consumer]) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      })
    }
    const emptyDirs = spec.volumes.filter(({ emptyDir }) => emptyDir !== undefined)
    expect(emptyDirs.map(({ name }) => name)).toEqual(["config"])
    const [written] = agent.volumeMounts.filter(({ name }) => name === "config")
    const [read] = consumer.volumeMounts
    expect(read).toEqual({ ...written, readOnly: true })

    const settings = await loadAgentSettings(join(CONFIG, folder, "agent.yaml"))
    const paths = Object.values(settings.projections).map(({ path }) => path)
    expect(paths.length).toBeGreaterThan(0)
    for (const path of paths) expect(path.startsWith(`${written?.mountPath}/`), path).toBe(true)
  })

  it.each(POD_SAMPLES)(
    "%s gives its own service account what its settings need, and no more",
    async (folder) => {
      const { metadata, spec } = load(textOf(folder, "pod.yaml")) as Pod
      const objects = loadAll(textOf(folder, "access.yaml")) as AccessObject[]
      const settings = await loadAgentSettings(join(CONFIG, folder, "agent.yaml"))
      const account = { name: spec.serviceAccountName, namespace: metadata.namespace }
      expect(objects.map(({ kind }) => kind)).toEqual(["ServiceAccount", "Role", "RoleBinding"])
      const [serviceAccount, role, binding] = objects
      expect(serviceAccount?.metadata).toEqual(account)
      expect(binding?.subjects).toEqual([{ kind: "ServiceAccount", ...account }])
      expect(binding?.roleRef).toMatchObject({ kind: "Role", name: role?.metadata.name })
      expect(settings.record?.split("/")[0]).toBe(role?.metadata.namespace)
      expect(binding?.metadata.namespace).toBe(role?.metadata.namespace)
      const rights = role?.rules?.map(({ resources, verbs }) => `${resources}: ${verbs}`)
      const toReport = settings.report ? ["leases: get,create,update,delete"] : []
      expect(rights).toEqual(["configmaps: get,list,watch", ...toReport])
    },
  )

  it("runs the agent beside the consumer, or once before it", () => {
    const [beside, before] = POD_SAMPLES.map(
      (folder) => (load(textOf(folder, "pod.yaml")) as Pod).spec.initContainers[0],
    )
    expect(beside?.restartPolicy).toBe("Always")
    expect(beside?.args).not.toContain("--once")
    expect(before?.restartPolicy).toBe(undefined)
    expect(before?.args).toContain("--once")
  })
})

describe("images", () => {
  it("are built under each name that a manifest asks for, with the Node that is tested", () => {
    const dockerfile = textOf("image/Dockerfile")
    const built = [...dockerfile.matchAll(/^FROM programs AS (.+)$/gm)].map(([, target]) => target)
    const manifests = readdirSync(CONFIG, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".yaml"))
      .map((name) => textOf(name))
    const asked = manifests.flatMap((text) =>
      [...text.matchAll(/image: headrace\/(\w+):/g)].map(([, name]) => name),
    )
    expect(new Set(asked)).toEqual(new Set(built))

    const project = JSON.parse(readFileSync(join(CONFIG, "../package.json"), "utf8"))
    expect(dockerfile).toContain(`node:${project.devDependencies.node}-`)
  })
})
