import { writeFile } from "node:fs/promises"
import { getPriority, setPriority } from "node:os"
import { join } from "node:path"
import { freePort } from "@headrace/config/local/free-port"
import { push, sendWebhook } from "@headrace/config/local/signed-webhook"
import { type ConnectedCluster, connectCluster } from "@headrace/shared/kube/client-node/connect-cluster"
import { createLog } from "@headrace/shared/observe/log"
import { programArguments } from "../harness/program-arguments.ts"
import { type MarkedRun, runMarked } from "../harness/run-marked.ts"
import { until } from "../harness/until.ts"
import { type TestRedis, withRedis } from "../harness/with-redis.ts"
import { type TestRepo, withRepo } from "../harness/with-repo.ts"
import { type ApiServerProcess, startApiServers } from "./api-servers.ts"
import { NAMESPACE, NODES, SOURCE, STAGES, type StagedNode } from "./fleet-plan.ts"
import { agentSettings, writeConsumer } from "./node-files.ts"

/** Two API servers, two plugins, twenty agents, one Redis and one branch; each program is a process of its own. */
export interface StagedSite {
  repo: TestRepo
  redis: TestRedis
  plugins: PluginProcess[]
  agents: ReadonlyMap<string, MarkedRun>
  /** The API servers' clients, by cluster. */
  clusters: ReadonlyMap<string, ConnectedCluster>
  /** Aborts when the run is to end. */
  signal: AbortSignal
  /** Where a node's agent shows the revision. */
  projectionOf(node: StagedNode): string
  /** Commits what consumers read, and posts the webhook to every plugin that answers. */
  commit(state: string): Promise<string>
}

/** A plugin that can be killed and started again on the same port. */
export interface PluginProcess {
  child(): MarkedRun["child"]
  kill(): Promise<void>
  start(): void
}

const SECRET = "a secret of the tests"
const REPOSITORY = "example/config"
const START_LIMIT_MS = 600_000
const RULES = "config_updater: {maps: {'state/*': {name: state, clusters: {build: [ci], canary: [ci]}}}}\n"
/** Longer than any fault lasts, and than a busy machine keeps an agent waiting: neither is a silence of a node. */
const WITHIN = "120s"
const log = createLog("rollouts", { level: "silent" })

/** Runs `use` with a site of its own. Everything ends with it. */
export function withStagedSite<T>(options: SiteOptions, use: (site: StagedSite) => Promise<T>): Promise<T> {
  return withRepo((repo) =>
    withRedis(async (redis) => {
      const servers = await startApiServers(repo.scratch, [NAMESPACE, "ci"])
      const running: MarkedRun[] = []
      const plugins: StartedPlugin[] = []
      try {
        const site = await startSite({ ...options, repo, redis, servers, running, plugins })
        return await use(site)
      } finally {
        for (const { child } of [...running, ...plugins.map((plugin) => plugin.run())]) {
          child.kill("SIGCONT")
          child.kill("SIGKILL")
        }
        await Promise.all([...running, ...plugins.map((plugin) => plugin.run())].map(({ ended }) => ended))
        for (const server of servers.values()) await server.close()
      }
    }),
  )
}

interface SiteOptions {
  /** True: its agents ask their consumers. */
  checks: boolean
  /** Of its plugins and agents, beside ours: nice(2). */
  niceness: number
  signal: AbortSignal
}

interface Parts extends SiteOptions {
  repo: TestRepo
  redis: TestRedis
  servers: ReadonlyMap<string, ApiServerProcess>
  running: MarkedRun[]
  plugins: StartedPlugin[]
}

async function startSite({
  repo,
  redis,
  servers,
  checks,
  niceness,
  signal,
  running,
  plugins,
}: Parts): Promise<StagedSite> {
  await repo.commit({ "rules.yaml": RULES, "state/now": "good\n0\n" })
  const config = await writeSettings(repo, redis.url, servers)
  plugins.push(await startPlugin(config, niceness, signal), await startPlugin(config, niceness, signal))
  const clusters = new Map<string, ConnectedCluster>()
  for (const [name, { kubeconfigFile }] of servers) {
    clusters.set(name, await connectCluster(name, { kubeconfig: kubeconfigFile }, log))
  }
  const projectionOf = ({ name }: StagedNode) => join(repo.scratch, name, "shown")
  const agents = new Map<string, MarkedRun>()
  for (const node of NODES) {
    const kubeconfigFile = servers.get(node.cluster)?.kubeconfigFile ?? ""
    const consumer = checks ? await writeConsumer(repo.scratch, node) : undefined
    const file = join(repo.scratch, `${node.name}.yaml`)
    await writeFile(file, agentSettings({ node, kubeconfigFile, path: projectionOf(node), consumer }))
    const agent = runNicely([...programArguments("agent"), "--config", file], niceness)
    agents.set(node.name, agent)
    running.push(agent)
  }
  return {
    repo,
    redis,
    plugins,
    agents,
    clusters,
    signal,
    projectionOf,
    async commit(state) {
      const commit = await repo.commit({ "state/now": state })
      await Promise.all(plugins.map(({ url }) => deliver(url, commit)))
      return commit
    },
  }
}

/** A plugin that is dead or stopped hears nothing; the branch is polled, too. */
async function deliver(url: string, commit: string): Promise<void> {
  const hook = { url: `${url}/hook`, secret: SECRET, repository: REPOSITORY, branch: "main" }
  const sent = sendWebhook(hook, "push", push(hook, "", commit))
  await Promise.race([sent, new Promise((resolve) => setTimeout(resolve, 500))]).catch(() => undefined)
  sent.catch(() => undefined)
}

async function writeSettings(
  repo: TestRepo,
  redis: string,
  servers: ReadonlyMap<string, ApiServerProcess>,
): Promise<string> {
  const config = join(repo.scratch, "headrace.yaml")
  const secretFile = join(repo.scratch, "hmac")
  await writeFile(secretFile, SECRET)
  const rollout = { stages: STAGES, health: { nodes: { within: WITHIN } } }
  const source = {
    url: repo.folder,
    repo: REPOSITORY,
    branch: "main",
    rules: "rules.yaml",
    poll: "5s",
    rollout,
  }
  const clusters = [...servers].map(([name, { kubeconfigFile }]) => [
    name,
    { kubeconfig: kubeconfigFile, namespaces: ["ci"] },
  ])
  const settings = {
    version: 1,
    namespace: NAMESPACE,
    sources: { [SOURCE]: source },
    clusters: Object.fromEntries(clusters),
    redis: { url: redis },
    webhook: { secretFiles: [secretFile] },
    mirrors: join(repo.scratch, "mirrors"),
  }
  await writeFile(config, JSON.stringify(settings))
  return config
}

type StartedPlugin = PluginProcess & { url: string; run(): MarkedRun }

/** Starts a program with a lower priority than ours. */
function runNicely(args: readonly string[], niceness: number): MarkedRun {
  const run = runMarked(args)
  const { pid } = run.child
  if (pid !== undefined) setPriority(pid, getPriority() + niceness)
  return run
}

async function startPlugin(config: string, niceness: number, signal: AbortSignal): Promise<StartedPlugin> {
  const listen = `127.0.0.1:${await freePort()}`
  const args = [...programArguments("plugin"), "--config", config, "--listen", listen]
  const start = () => runNicely(args, niceness)
  let run = start()
  const hasEnded = () => run.child.exitCode !== null || run.child.signalCode !== null
  const hasStarted = () => run.output().includes('"plugin started"')
  try {
    await until(() => signal.aborted || hasStarted() || hasEnded(), START_LIMIT_MS)
    signal.throwIfAborted()
    if (hasEnded()) throw new Error(`the plugin did not start: ${run.output()}${run.errors()}`)
  } catch (error) {
    run.child.kill("SIGKILL")
    throw error
  }
  return {
    url: `http://${listen}`,
    run: () => run,
    child: () => run.child,
    async kill() {
      run.child.kill("SIGKILL")
      await run.ended
    },
    start() {
      run = start()
    },
  }
}
