import { randomBytes } from "node:crypto"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { expect } from "vitest"
import { buildManifests, type Manifest } from "../deployment/build-manifests.ts"
import { forOldServer } from "../deployment/for-old-server.ts"
import { applyManifests, kubectl, programSecret } from "../deployment/kubectl.ts"
import { pushTo } from "../deployment/push-to.ts"
import { until } from "../harness/until.ts"
import { withGitServer } from "../harness/with-git-server.ts"
import { withKube } from "../harness/with-kube.ts"
import { withRedis } from "../harness/with-redis.ts"
import { type TestRepo, withRepo } from "../harness/with-repo.ts"
import { peakMemory } from "./agent-and-kubelet.ts"
import { type KubeNode, startKubeNode } from "./kube-node.ts"
import { giveImages } from "./node-images.ts"
import { forThisNode, KUBELET_POD, READER_POD } from "./node-manifests.ts"
import { typeSidecarPage } from "./sidecar-page.ts"

export const PATIENCE_MS = 120_000
const RULES = `config_updater:
  maps:
    jobs/*.yaml: { name: job-config-master, clusters: { app.ci: [ci] } }
    steps/*.yaml: { name: step-registry, clusters: { app.ci: [ci] } }
    more/*.yaml: { name: more, clusters: { app.ci: [ci] } }
`

export interface Site {
  node: KubeNode
  /** The agent's folder job-config, on this machine. */
  projection: string
  generation(): number
  /** Commits the next generation to all three ConfigMaps. */
  commit(): Promise<string>
  push(sha: string): Promise<number>
  untilShown(): Promise<void>
  /** A folder of config/, as this node runs it; or a Pod: `kubelet` mounts the ConfigMaps, `reader` the agent's folder. */
  apply(folder: string): Promise<void>
  jobOfCronJob(name: string): Manifest
  /** Types docs/how-to/sidecar.md in a clone, whose sample is first brought to what this node runs. */
  typeSidecarPage(): Promise<void>
  kubectl(...args: string[]): Promise<string>
  rollout(workload: string): Promise<void>
  rootOfPod(namespace: string, name: string, text: string): Promise<string>
  killAgent(): Promise<void>
  deletePods(component: string): Promise<void>
  restart(workload: string): Promise<void>
  restartNode(): Promise<void>
  /** Since when a Pod of `ci` has been ready without a break. */
  readySince(pod: string): Promise<string>
  /** The status that the sidecar answers a route with. */
  statusOfSidecar(route: string): Promise<number>
  /** Starts a Pod that reads the projection all the while. */
  startReader(): Promise<void>
  /** Ends it; gives how often it looked, at the least, and what it could not read. */
  endReader(): Promise<{ looks: number; unreadable: string[] }>
  memory(): Promise<{ name: string; peak: number; limit: number }[]>
}

/** Opens repository, git server, Redis, a second cluster and the node, and gives what closes them. */
export function openSite(): Promise<{ site: Site; end(): Promise<void> }> {
  return new Promise((resolve, reject) => {
    const ended = Promise.withResolvers<void>()
    const all = withRepo((repo) =>
      withRedis((redis) =>
        withGitServer(repo.folder, (git) =>
          withKube(async (build01) => {
            const disk = await mkdtemp(join(tmpdir(), "headrace-node-disk-"))
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
                site: siteOn(node, { repo, secret, url: git.url, disk }),
                async end() {
                  ended.resolve()
                  await all
                },
              })
              await ended.promise
            } finally {
              await node.stop()
              await rm(disk, { recursive: true, force: true })
            }
          }),
        ),
      ),
    )
    all.catch(reject)
  })
}

const PODS: Record<string, Manifest[]> = { kubelet: [KUBELET_POD], reader: [READER_POD] }

interface Places {
  repo: TestRepo
  secret: string
  /** The repository's address. */
  url: string
  /** Where the node's /var/lib/headrace and /run/headrace are. */
  disk: string
}

function siteOn(node: KubeNode, { repo, secret, url, disk }: Places): Site {
  let generation = 0
  const applied: Manifest[] = []
  const projection = join(disk, "lib/job-config")
  const onNode = (...args: string[]) => kubectl(node.kubeconfig, ...args)
  async function apply(folder: string): Promise<void> {
    const manifests = PODS[folder] ?? (await buildManifests(folder))
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
    typeSidecarPage: () => typeSidecarPage(node, (one) => forThisNode(one, { ip: node.ip, url, disk })),
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
    async readySince(pod) {
      const ready = "{.status.conditions[?(@.type=='Ready')]['status','lastTransitionTime']}"
      const text = await onNode("--namespace=ci", "get", "pod", pod, `--output=jsonpath=${ready}`)
      const [status, time = ""] = text.split(" ")
      expect(status).toBe("True")
      return time
    },
    statusOfSidecar: async (route) => (await fetch(`http://${node.ip}:9475${route}`)).status,
    async startReader() {
      await apply("reader")
      await onNode("--namespace=ci", "wait", "--for=condition=Ready", "pod/reader", "--timeout=2m")
    },
    async endReader() {
      const lines = (await onNode("--namespace=ci", "logs", "reader")).trim().split("\n")
      await onNode("--namespace=ci", "delete", "pod", "reader")
      const looks = lines.findLast((line) => line.startsWith("looks ")) ?? "looks 0"
      return {
        looks: Number(looks.slice("looks ".length)),
        unreadable: lines.filter((line) => line.startsWith("unreadable")),
      }
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
export async function watchReadable({ projection }: Site, signal: AbortSignal): Promise<string[]> {
  const failures: string[] = []
  while (!signal.aborted) {
    await readFile(join(projection, "a.yaml"), "utf8").catch((error: Error) => failures.push(error.message))
    await delay(5, undefined, { signal }).catch(() => undefined)
  }
  return failures
}

/** Reads the sidecar's file and asks its /readyz all the while; gives how often, and what failed. */
export async function watchInService(
  site: Site,
  read: () => Promise<string>,
  signal: AbortSignal,
): Promise<{ count: number; failures: string[] }> {
  const failures: string[] = []
  let count = 0
  while (!signal.aborted) {
    count += 1
    await read().catch((error: Error) => failures.push(error.message))
    const status = await site.statusOfSidecar("/readyz").catch((error: Error) => error.message)
    if (status !== 200) failures.push(`/readyz: ${status}`)
    await delay(50, undefined, { signal }).catch(() => undefined)
  }
  return { count, failures }
}
