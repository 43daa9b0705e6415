import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { loadAgentSettings } from "@headrace/shared/settings/load-agent-settings"
import { loadOperatorSettings } from "@headrace/shared/settings/load-operator-settings"
import { load, loadAll } from "js-yaml"
import { describe, expect, it } from "vitest"
import { whySkipped } from "../harness/why-skipped.ts"
import { kubectlProgram, type Manifest } from "./build-manifests.ts"
import { rightsGranted } from "./rights.ts"

const CONFIG = join(import.meta.dirname, "../../config")
const POD_SAMPLES = ["samples/sidecar", "samples/init-container"]
const OVERLAYS = ["overlays/example", "overlays/example-remote", "overlays/production", "overlays/openshift"]
const FOLDERS = [
  "base",
  "base/writer",
  "base/plugin",
  "base/bootstrapper",
  "base/agent",
  "home",
  "components/monitoring",
  "components/operators-words",
  "components/own-lease",
  "components/signed-records",
  ...OVERLAYS,
  ...POD_SAMPLES,
]
const kubectl = kubectlProgram()
const noKubectl = spawnSync(kubectl, ["version", "--client"]).status !== 0

interface Kustomization {
  resources?: string[]
  configMapGenerator?: { files: string[] }[]
  patches?: { path: string }[]
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
    const patches = (kustomization.patches ?? []).map(({ path }) => path)
    const named = [...(kustomization.resources ?? []), ...generated, ...patches]
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
    `build with kubectl kustomize${whySkipped(noKubectl ? "kubectl is not installed" : undefined)}`,
    () => {
      for (const folder of FOLDERS) {
        const built = spawnSync(kubectl, ["kustomize", join(CONFIG, folder)], { encoding: "utf8" })
        expect(built.status, built.stderr).toBe(0)
      }
    },
  )
})

/** Every object of the files below a folder of config/. */
function objectsOf(folder: string): Manifest[] {
  const files = readdirSync(join(CONFIG, folder), { recursive: true, encoding: "utf8" })
  return files
    .filter((name) => name.endsWith(".yaml"))
    .flatMap((name) => loadAll(textOf(folder, name)) as Manifest[])
    .filter((one) => one?.kind !== undefined && one.metadata !== undefined)
}

interface Workload extends Manifest {
  spec: { selector: { matchLabels: object }; template: { metadata: { labels: object }; spec: object } }
}

describe("the bases", () => {
  const objects = objectsOf("base")

  it("select the Pods that they make", () => {
    const workloads = objects.filter(({ kind }) => ["Deployment", "DaemonSet"].includes(kind)) as Workload[]
    expect(workloads.map(({ metadata }) => metadata.name).sort()).toEqual([
      "headrace-agent",
      "headrace-plugin",
    ])
    for (const { spec } of workloads) {
      expect(Object.keys(spec.selector.matchLabels).length).toBeGreaterThan(1)
      expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels)
    }
  })

  it("name no priority class, service account or namespace that they do not bring", () => {
    const named = (kind: string) =>
      objects.filter((one) => one.kind === kind).map(({ metadata }) => metadata.name)
    const text = JSON.stringify(objects)
    const used = (field: string) =>
      [...text.matchAll(new RegExp(`"${field}":"([^"]+)"`, "g"))].map(([, one]) => one)
    expect(named("PriorityClass")).toEqual(expect.arrayContaining(used("priorityClassName")))
    expect(named("ServiceAccount")).toEqual(expect.arrayContaining(used("serviceAccountName")))
    expect(named("Namespace")).toEqual(expect.arrayContaining(used("namespace")))
  })

  it("keep settings and Secrets where no account of Headrace may write ConfigMaps", () => {
    const granted = rightsGranted(objects, "headrace/headrace-writer")
    expect([...granted].filter((right) => / headrace$/.test(right))).toEqual(["list leases headrace"])
    const agent = rightsGranted(objects, "headrace/headrace-agent")
    expect(
      [...agent].filter((right) => / configmaps /.test(right) && !/^(get|list|watch) /.test(right)),
    ).toEqual([])
  })
})

describe("the example", () => {
  it("gives the writer its rights in each namespace that its settings allow", async () => {
    for (const overlay of ["overlays/example", "overlays/example-remote"]) {
      const { clusters } = await loadOperatorSettings(join(CONFIG, "overlays/example/headrace.yaml"))
      const bound = (loadAll(textOf(overlay, "view-writers.yaml")) as Manifest[]).map(
        ({ metadata }) => metadata.namespace,
      )
      for (const { namespaces } of Object.values(clusters)) expect(bound).toEqual(namespaces)
    }
  })

  it("reads settings, Secrets and kubeconfigs only where its Pods mount them", () => {
    const paths = [...textOf("overlays/example/headrace.yaml").matchAll(/[ [](\/[\w/]+)/g)].map(
      ([, path]) => path,
    )
    expect(paths).toContain("/kube/build01")
    for (const file of ["base/plugin/deployment.yaml", "base/bootstrapper/cronjob.yaml"]) {
      const mounted = [...textOf(file).matchAll(/mountPath: (\S+)/g)].map(([, path]) => `${path}/`)
      for (const path of paths)
        expect(
          mounted.some((one) => path?.startsWith(one)),
          `${file} ${path}`,
        ).toBe(true)
    }
  })

  it("gives the webhook's secret to the plugin alone", () => {
    const users = ["plugin/deployment.yaml", "bootstrapper/cronjob.yaml", "agent/daemonset.yaml"].filter(
      (file) => textOf("base", file).includes("headrace-webhook"),
    )
    expect(users).toEqual(["plugin/deployment.yaml"])
  })

  it("has a command in docs/how-to/deploy.md for each Secret that the manifests mount", () => {
    const page = readFileSync(join(CONFIG, "../docs/how-to/deploy.md"), "utf8")
    const secrets = new Set(
      ["plugin/deployment.yaml", "bootstrapper/cronjob.yaml", "agent/daemonset.yaml"].flatMap((file) =>
        [...textOf("base", file).matchAll(/(?:secretName: |secret:\s+name: )(\S+)/g)].map(([, name]) => name),
      ),
    )
    expect([...secrets].sort()).toEqual([
      "headrace-git",
      "headrace-kubeconfigs",
      "headrace-redis",
      "headrace-webhook",
    ])
    for (const name of secrets) expect(page, name).toMatch(new RegExp(`create secret generic ${name} `))
  })
})

describe("samples", () => {
  it.each(["samples", "overlays/example", "overlays/production"])(
    "of %s load as they are",
    async (folder) => {
      const operator = await loadOperatorSettings(join(CONFIG, folder, "headrace.yaml"))
      const agent = await loadAgentSettings(join(CONFIG, folder, "agent.yaml"))

      expect(Object.keys(operator.sources)).toEqual(["release"])
      expect(Object.keys(agent.projections)).toEqual(["job-config"])
    },
  )
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

  it("has in the agent's what hooks and ssh_config of git-sync's users run", () => {
    const [, agent = ""] = textOf("image/Dockerfile").split("FROM programs AS agent")
    expect(agent).toContain("install --yes --no-install-recommends curl socat")
    expect(agent.match(/^USER .+$/gm)?.at(-1)).toBe("USER 65532:65532")
  })
})
