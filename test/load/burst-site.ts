import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { embeddedKubeconfig } from "@headrace/config/local/embedded-kube/embedded-kubeconfig"
import { freePort } from "@headrace/config/local/free-port"
import type { Hook } from "@headrace/config/local/signed-webhook"
import { type Lanes, openLanes } from "@headrace/shared/lanes/open-lanes"
import { createLog } from "@headrace/shared/observe/log"
import { programArguments } from "../harness/program-arguments.ts"
import { type MarkedRun, runMarked } from "../harness/run-marked.ts"
import { until } from "../harness/until.ts"
import { withFolder } from "../harness/with-folder.ts"
import { withRedis } from "../harness/with-redis.ts"
import { type BurstBranch, createBurstBranch } from "./burst-branch.ts"

const ROOT = join(import.meta.dirname, "../..")
const REPOSITORY = "openshift/release"
const SECRET = "a secret of the tests"
const TOKEN = "burst"
const SETTINGS_INTERVAL = "100ms"
/** First part of all keys in Redis. */
const PREFIX = "burst"

/** An API server in a process of its own. */
export interface Site {
  branch: BurstBranch
  clusters: ReadonlyMap<string, BurstCluster>
  plugins: readonly PluginProcess[]
  lanes: Lanes
  /** The operator's file. */
  config: string
  /** What it states at the start. */
  settings: OperatorSettingsText
}

/** The operator's file as it is written, as far as the tests change it. */
export interface OperatorSettingsText {
  sources: Record<string, object>
  clusters: Record<string, object>
}

export interface BurstCluster {
  /** Lets it answer, or refuse connections; what it holds stays. */
  set(state: "up" | "down"): Promise<void>
  /** A ConfigMap's data; undefined while there is none. */
  read(namespace: string, name: string): Promise<Record<string, string> | undefined>
}

export interface PluginProcess extends MarkedRun {
  hook: Hook
  /** Bytes of memory that it holds now. */
  resident(): number
}

/**
 * Runs `fn` with a real branch, a real Redis, an API server for each cluster and two plugins, all processes of
 * their own. `up` names the clusters that answer from the start.
 */
export async function withSite<T>(
  clusters: readonly string[],
  up: readonly string[],
  merges: number,
  fn: (site: Site) => Promise<T>,
): Promise<T> {
  return withFolder((folder) =>
    withRedis(async ({ url }) => {
      const branch = await createBurstBranch(folder, clusters, merges + 1)
      const servers = new Map<string, Server>()
      for (const cluster of clusters) servers.set(cluster, await startServer(folder, cluster))
      for (const cluster of up) await servers.get(cluster)?.set("up")
      const { config, settings } = await writeSettings(folder, branch, servers, url)
      const log = createLog("burst", { level: "silent" })
      const lanes = await openLanes({ redis: url, prefix: PREFIX, log })
      const plugins = [await startPluginProcess(config), await startPluginProcess(config)]
      try {
        return await fn({ branch, clusters: servers, plugins, lanes, config, settings })
      } finally {
        for (const { child } of plugins) child.kill("SIGTERM")
        await Promise.all(plugins.map(({ ended }) => ended))
        for (const { child } of servers.values()) child.disconnect()
        await lanes.close()
        await branch.close()
      }
    }),
  )
}

type Server = BurstCluster & { child: ChildProcess; kubeconfig: string }

async function startServer(folder: string, cluster: string): Promise<Server> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const kubeconfig = join(folder, `${cluster}.kubeconfig`)
  await writeFile(kubeconfig, embeddedKubeconfig(url, TOKEN))
  const child = fork(join(ROOT, "test/harness/kube-process.ts"), [String(port), TOKEN], {
    execArgv: ["--conditions=source", "--no-warnings"],
  })
  return {
    child,
    kubeconfig,
    async set(state) {
      const answered = once(child, "message")
      child.send(state)
      await answered
    },
    async read(namespace, name) {
      const answer = await fetch(`${url}/api/v1/namespaces/${namespace}/configmaps/${name}`, {
        headers: { authorization: `Bearer ${TOKEN}` },
      })
      if (answer.status === 404) return undefined
      return ((await answer.json()) as { data?: Record<string, string> }).data
    },
  }
}

async function writeSettings(
  folder: string,
  branch: BurstBranch,
  servers: ReadonlyMap<string, Server>,
  redis: string,
): Promise<Pick<Site, "config" | "settings">> {
  const secretFile = join(folder, "hmac")
  await writeFile(secretFile, SECRET)
  const clusters = [...servers].map(([cluster, { kubeconfig }]) => [
    cluster,
    { kubeconfig, namespaces: ["*"] },
  ])
  const settings = {
    version: 1,
    sources: { release: { url: branch.folder, repo: REPOSITORY, branch: "main", rules: "rules.yaml" } },
    clusters: Object.fromEntries(clusters),
    redis: { url: redis, prefix: PREFIX },
    webhook: { secretFiles: [secretFile] },
    mirrors: join(folder, "mirrors"),
  }
  const config = join(folder, "headrace.yaml")
  await writeFile(config, JSON.stringify(settings))
  return { config, settings }
}

async function startPluginProcess(config: string): Promise<PluginProcess> {
  const listen = `127.0.0.1:${await freePort()}`
  const own = ["--config", config, "--listen", listen, "--settings-interval", SETTINGS_INTERVAL]
  const run = runMarked([...programArguments("plugin"), ...own])
  await until(() => run.output().includes('"plugin started"') || run.errors() !== "")
  if (run.errors() !== "") throw new Error(run.errors())
  const hook: Hook = {
    url: `http://${listen}/hook`,
    secret: SECRET,
    repository: REPOSITORY,
    branch: "main",
  }
  return { ...run, hook, resident: () => residentBytes(run.child.pid ?? 0) }
}

/** proc(5), status: VmRSS in kB. */
function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]
  return Number(kilobytes) * 1024
}
