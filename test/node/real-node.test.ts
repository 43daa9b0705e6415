import { randomBytes } from "node:crypto"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { dump, load } from "js-yaml"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { buildManifests, type Manifest } from "../deployment/build-manifests.ts"
import { forOldServer } from "../deployment/for-old-server.ts"
import { applyManifests, kubectl, programSecret } from "../deployment/kubectl.ts"
import { pushTo } from "../deployment/push-to.ts"
import { until } from "../harness/until.ts"
import { whySkipped } from "../harness/why-skipped.ts"
import { withGitServer } from "../harness/with-git-server.ts"
import { withKube } from "../harness/with-kube.ts"
import { withRedis } from "../harness/with-redis.ts"
import { type TestRepo, withRepo } from "../harness/with-repo.ts"
import { delaysOf, peakMemory, percentile, type Shown, watchGenerations } from "./agent-and-kubelet.ts"
import { makeBusyboxRoot, makeImageRoot } from "./image-root.ts"
import { type KubeNode, kubeNodeMissing, startKubeNode } from "./kube-node.ts"

const missing = kubeNodeMissing()
const ROOT = join(import.meta.dirname, "../..")
/** How many changes are measured, and how many seconds lie between two. */
const SAMPLES = Number(process.env.HEADRACE_NODE_SAMPLES ?? 8)
const GAP_S = Number(process.env.HEADRACE_NODE_GAP_SECONDS ?? 20)
/** The kubelet's own period is a minute, and its cache may add as much. */
const KUBELET_MS = 150_000
const PATIENCE_MS = 120_000
const RULES = `config_updater:
  maps:
    jobs/*.yaml: { name: job-config-master, clusters: { app.ci: [ci] } }
    steps/*.yaml: { name: step-registry, clusters: { app.ci: [ci] } }
    more/*.yaml: { name: more, clusters: { app.ci: [ci] } }
`
/** Where the three ConfigMaps' files are in the agent's projection, and in the kubelet's. */
const AGENT_FILES = ["a.yaml", "steps/steps/b.yaml", "c.yaml"]
const KUBELET_FILES = ["a.yaml", "b.yaml", "c.yaml"]

describe.skipIf(missing)(`a real node${whySkipped(missing)}`, { timeout: 900_000 }, () => {
  let site: Site
  let end: () => Promise<void>

  beforeAll(async () => {
    ;({ site, end } = await openSite())
  }, 1_200_000)

  afterAll(() => end?.(), 120_000)

  it("runs the plugin, the agent, the sidecar and the init container as Pods, and the CronJob's job", async () => {
    await site.commit()
    await site.apply("overlays/example")
    await site.rollout("deployment/headrace-plugin")
    await site.rollout("daemonset/headrace-agent")
    await site.untilShown()
    expect(await site.push(await site.commit())).toBe(202)
    await site.untilShown()
    await applyManifests(site.node.kubeconfig, [site.jobOfCronJob("headrace-by-hand")])
    await site.kubectl(
      "--namespace=headrace",
      "wait",
      "--for=condition=complete",
      "job/headrace-by-hand",
      "--timeout=3m",
    )
    for (const sample of ["samples/sidecar", "samples/init-container"]) await site.apply(sample)
    for (const pod of ["with-sidecar", "with-init-container"]) {
      await site.kubectl("--namespace=ci", "wait", "--for=condition=Ready", `pod/${pod}`, "--timeout=3m")
      const shown = await site.kubectl(
        "--namespace=ci",
        "exec",
        pod,
        "--container=consumer",
        "--",
        "cat",
        "/config/job-config/a.yaml",
      )
      expect(shown.trim()).toBe(String(site.generation()))
    }
  })

  it("shows a change faster than the kubelet's own mounts of the same ConfigMaps, and never torn", async () => {
    await site.apply("kubelet")
    await site.kubectl(
      "--namespace=ci",
      "wait",
      "--for=condition=Ready",
      "pod/kubelet-mounts",
      "--timeout=2m",
    )
    const root = await site.rootOfPod("ci", "kubelet-mounts", "sleep")
    const stop = new AbortController()
    const agents = watchGenerations(() => site.projection, AGENT_FILES, stop.signal)
    const kubelets = watchGenerations(() => join(root, "all"), KUBELET_FILES, stop.signal)
    const started = new Map<number, number>()
    for (let sample = 0; sample < SAMPLES; sample += 1) {
      const sha = await site.commit()
      started.set(site.generation(), Date.now())
      expect(await site.push(sha)).toBe(202)
      await delay(GAP_S * 1000)
    }
    await until(
      async () => (await readFile(join(root, "all/a.yaml"), "utf8")) === String(site.generation()),
      KUBELET_MS,
    )
    stop.abort()
    const [agent, kubelet] = await Promise.all([agents, kubelets])
    print(table(agent, kubelet, started))
    expect(delaysOf(agent, started)).toHaveLength(SAMPLES)
    expect(agent.torn).toBe(0)
  })

  it.each([
    { what: "its process is killed", act: () => site.killAgent() },
    { what: "its Pod is deleted", act: () => site.deletePods("agent") },
    { what: "it is rolled out again", act: () => site.restart("daemonset/headrace-agent") },
    { what: "the plugin's Pod is deleted", act: () => site.deletePods("plugin") },
    { what: "the node is restarted", act: () => site.restartNode() },
  ])("keeps what the agent shows readable, and shows the next commit, when $what", async ({ what, act }) => {
    const stop = new AbortController()
    const watching = watchReadable(site, stop.signal)
    const before = Date.now()
    const done = act()
    await site.commit()
    await done
    await site.untilShown()
    print(
      `${what}: the disk shows a commit made meanwhile after ${((Date.now() - before) / 1000).toFixed(1)} s`,
    )
    stop.abort()
    expect(await watching).toEqual([])
  })

  it("needs the memory that its manifests request, and less than their limits", async () => {
    const rows = await site.memory()
    print(
      ["peak memory, MiB", ...rows.map(({ name, peak, limit }) => `  ${name}: ${peak} of ${limit}`)].join(
        "\n",
      ),
    )
    for (const { name, peak, limit } of rows) expect(peak, name).toBeLessThan(limit)
  })
})

interface Site {
  node: KubeNode
  /** The agent's folder job-config, on this machine. */
  projection: string
  generation(): number
  /** Commits the next generation to all three ConfigMaps. */
  commit(): Promise<string>
  push(sha: string): Promise<number>
  untilShown(): Promise<void>
  /** A folder of config/, as this node runs it; `kubelet`: a Pod that mounts the ConfigMaps. */
  apply(folder: string): Promise<void>
  jobOfCronJob(name: string): Manifest
  kubectl(...args: string[]): Promise<string>
  rollout(workload: string): Promise<void>
  rootOfPod(namespace: string, name: string, text: string): Promise<string>
  killAgent(): Promise<void>
  deletePods(component: string): Promise<void>
  restart(workload: string): Promise<void>
  restartNode(): Promise<void>
  memory(): Promise<{ name: string; peak: number; limit: number }[]>
}

/** Opens repository, git server, Redis, a second cluster and the node, and gives what closes them. */
function openSite(): Promise<{ site: Site; end(): Promise<void> }> {
  return new Promise((resolve, reject) => {
    const ended = Promise.withResolvers<void>()
    const all = withRepo((repo) =>
      withRedis((redis) =>
        withGitServer(repo.folder, (git) =>
          withKube(async (build01) => {
            const folder = await mkdtemp(join(tmpdir(), "headrace-node-disk-"))
            const node = await startKubeNode()
            try {
              const secret = randomBytes(8).toString("hex")
              git.token = randomBytes(8).toString("hex")
              await giveImages(node)
              for (const name of ["headrace", "headrace-store", "ci", "ocp"]) {
                await applyManifests(node.kubeconfig, [
                  { apiVersion: "v1", kind: "Namespace", metadata: { name } },
                ])
              }
              await applyManifests(node.kubeconfig, [
                programSecret("headrace-webhook", "hmac", secret),
                programSecret("headrace-redis", "url", redis.url),
                programSecret("headrace-git", "token", git.token),
                programSecret("headrace-kubeconfigs", "build01", build01.kubeconfig),
              ])
              resolve({
                site: siteOn(node, { repo, secret, url: git.url, disk: folder }),
                async end() {
                  ended.resolve()
                  await all
                },
              })
              await ended.promise
            } finally {
              await node.stop()
              await rm(folder, { recursive: true, force: true })
            }
          }),
        ),
      ),
    )
    all.catch(reject)
  })
}

/** The images that the manifests name; without an image registry they are made here. */
async function giveImages(node: KubeNode): Promise<void> {
  const work = await mkdtemp(join(ROOT, ".cache/node-image-"))
  try {
    await makeImageRoot(join(work, "programs"))
    for (const program of ["agent", "plugin", "bootstrapper"]) {
      await node.image(`headrace/${program}:0.1.0`, join(work, "programs"), `headrace-${program}`)
    }
    await makeBusyboxRoot(join(work, "busybox"))
    await node.image("busybox:1.37", join(work, "busybox"))
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

interface Places {
  repo: TestRepo
  secret: string
  /** The repository's address. */
  url: string
  /** The node's /var/lib/headrace. */
  disk: string
}

function siteOn(node: KubeNode, { repo, secret, url, disk }: Places): Site {
  let generation = 0
  const applied: Manifest[] = []
  const projection = join(disk, "job-config")
  const onNode = (...args: string[]) => kubectl(node.kubeconfig, ...args)
  async function apply(folder: string): Promise<void> {
    const manifests = folder === "kubelet" ? [KUBELET_POD] : await buildManifests(folder)
    const ours = manifests.flatMap((one) => forOldServer(one, 20).manifest ?? [])
    const fitted = ours.map((one) => forThisNode(one, { ip: node.ip, url, disk }))
    applied.push(...fitted)
    await applyManifests(node.kubeconfig, fitted)
  }
  async function podOf(component: string): Promise<{ name: string; uid: string }> {
    const selector = `app.kubernetes.io/component=${component}`
    const path =
      "jsonpath={range .items[?(@.status.phase=='Running')]}{.metadata.name} {.metadata.uid}{'\\n'}{end}"
    const text = await onNode("--namespace=headrace", "get", "pods", "--selector", selector, "--output", path)
    const [name = "", uid = ""] = text.split("\n")[0]?.split(" ") ?? []
    return { name, uid }
  }
  async function rollout(workload: string): Promise<void> {
    await onNode("--namespace=headrace", "rollout", "status", workload, "--timeout=4m")
  }
  return {
    node,
    projection,
    generation: () => generation,
    async commit() {
      generation += 1
      const text = String(generation)
      return repo.commit({
        "rules.yaml": RULES,
        "jobs/a.yaml": text,
        "steps/b.yaml": text,
        "more/c.yaml": text,
      })
    },
    push: (sha) => pushTo(`http://${node.ip}:8888/hook`, secret, sha),
    untilShown: () =>
      until(async () => (await read(join(projection, "a.yaml"))) === String(generation), PATIENCE_MS),
    apply,
    jobOfCronJob(name) {
      const { spec } = applied.find(({ kind }) => kind === "CronJob") as unknown as {
        spec: { jobTemplate: { spec: object } }
      }
      return {
        apiVersion: "batch/v1",
        kind: "Job",
        metadata: { name, namespace: "headrace" },
        spec: spec.jobTemplate.spec,
      }
    },
    kubectl: onNode,
    rollout,
    async rootOfPod(namespace, name, text) {
      const uid = await onNode(
        `--namespace=${namespace}`,
        "get",
        "pod",
        name,
        "--output=jsonpath={.metadata.uid}",
      )
      const [pid] = await node.processesOf(uid, text)
      expect(pid).toBeDefined()
      return `/proc/${pid}/root`
    },
    async killAgent() {
      const { uid } = await podOf("agent")
      const [pid] = await node.processesOf(uid, "headrace-agent")
      process.kill(Number(pid), "SIGKILL")
    },
    async deletePods(component) {
      const selector = `app.kubernetes.io/component=${component}`
      await onNode("--namespace=headrace", "delete", "pod", "--selector", selector)
    },
    async restart(workload) {
      await onNode("--namespace=headrace", "rollout", "restart", workload)
      await rollout(workload)
    },
    async restartNode() {
      const start = await node.crash()
      await delay(3000)
      await start()
    },
    async memory() {
      const rows: { name: string; peak: number; limit: number }[] = []
      for (const component of ["agent", "plugin"]) {
        await until(async () => (await podOf(component)).uid !== "", PATIENCE_MS)
        const { name, uid } = await podOf(component)
        const path = "jsonpath={.spec.containers[0].resources.limits.memory}"
        const limit = await onNode("--namespace=headrace", "get", "pod", name, "--output", path)
        const [pid] = await node.processesOf(uid, `headrace-${component}`)
        const mebibytes = Number.parseInt(limit, 10) * (limit.endsWith("Gi") ? 1024 : 1)
        rows.push({ name: component, peak: await peakMemory(Number(pid)), limit: mebibytes })
      }
      return rows
    },
  }
}

async function read(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch(() => undefined)
}

/** Reads the projection all the while; gives what could not be read. */
async function watchReadable({ projection }: Site, signal: AbortSignal): Promise<string[]> {
  const failures: string[] = []
  while (!signal.aborted) {
    await readFile(join(projection, "a.yaml"), "utf8").catch((error: Error) => failures.push(error.message))
    await delay(5, undefined, { signal }).catch(() => undefined)
  }
  return failures
}

interface PodSpec {
  hostNetwork?: boolean
  containers: { args?: string[]; ports?: object[]; imagePullPolicy?: string }[]
  volumes: { hostPath?: { path: string } }[]
}

/**
 * A manifest as this node runs it: in the node's network, which alone leads anywhere, so one plugin in place of two,
 * and at the node's address; the repository and the folder of this machine.
 */
function forThisNode(
  manifest: Manifest,
  { ip, url, disk }: { ip: string; url: string; disk: string },
): Manifest {
  const text = JSON.stringify(manifest)
    .replaceAll("=0.0.0.0:", `=${ip}:`)
    .replaceAll('"path":"/var/lib/headrace"', `"path":${JSON.stringify(disk)}`)
  const fitted = JSON.parse(text) as Manifest
  if (fitted.kind === "ConfigMap") return withSettings(fitted, ip, url)
  if (fitted.kind === "Deployment")
    Object.assign(fitted.spec as object, { replicas: 1, strategy: { type: "Recreate" } })
  const spec = podSpecOf(fitted)
  if (spec) spec.hostNetwork = true
  return fitted
}

function podSpecOf({ kind, spec }: Manifest): PodSpec | undefined {
  const { template, jobTemplate } = (spec ?? {}) as {
    template?: { spec: PodSpec }
    jobTemplate?: { spec: { template: { spec: PodSpec } } }
  }
  if (kind === "Pod") return spec as PodSpec
  return template?.spec ?? jobTemplate?.spec.template.spec
}

function withSettings(manifest: Manifest, ip: string, url: string): Manifest {
  const data = Object.entries(manifest.data as Record<string, string>).map(([key, text]) => {
    const settings = load(text) as {
      sources?: { release: object }
      listen?: string
      projections?: { "job-config": { from: object[] } }
    }
    if (settings.listen) settings.listen = settings.listen.replace("0.0.0.0", ip)
    if (settings.sources) {
      Object.assign(settings.sources.release, {
        url,
        repo: "openshift/release",
        rules: "rules.yaml",
        poll: "5s",
      })
    }
    settings.projections?.["job-config"].from.push({ configMap: "ci/more" })
    return [key, dump(settings)]
  })
  return { ...manifest, data: Object.fromEntries(data) }
}

const KUBELET_POD: Manifest = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "kubelet-mounts", namespace: "ci" },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: "reader",
        image: "busybox:1.37",
        command: ["sleep", "1000000"],
        volumeMounts: [{ name: "all", mountPath: "/all" }],
      },
    ],
    volumes: [
      {
        name: "all",
        projected: {
          sources: ["job-config-master", "step-registry", "more"].map((name) => ({ configMap: { name } })),
        },
      },
    ],
  },
}

function table(agent: Shown, kubelet: Shown, started: ReadonlyMap<number, number>): string {
  const row = (name: string, shown: Shown) => {
    const delays = delaysOf(shown, started)
    const seconds = (share: number) => `${(percentile(delays, share) / 1000).toFixed(2)} s`
    return `| ${name} | ${seconds(0.5)} | ${seconds(0.9)} | ${shown.torn} of ${shown.states} |`
  }
  return [
    `\n${started.size} commits, from the signed webhook until the node shows it:\n`,
    "| | p50 | p90 | states that mix commits |",
    "|---|---|---|---|",
    row("the kubelet's mounts", kubelet),
    row("Headrace's agent", agent),
    "",
  ].join("\n")
}

/** Not by console.log, which vitest puts under headings of its own. */
function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
