import { fork } from "node:child_process"
import { once } from "node:events"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { embeddedKubeconfig } from "@headrace/config/local/embedded-kube/embedded-kubeconfig"
import { freePort } from "@headrace/config/local/free-port"
import { DEFAULTS, localAgentSettings, localOperatorSettings } from "@headrace/config/local/local-settings"
import { startLocalRedis } from "@headrace/config/local/redis-server"
import { until } from "../harness/until.ts"
import { withFolder } from "../harness/with-folder.ts"
import { type BenchRepository, createBenchRepository } from "./curve/bench-repository.ts"
import { type MeasuredProgram, startMeasured } from "./memory/measured-program.ts"

const FEW = 20
const MANY = Number(process.env.HEADRACE_MEMORY_FILES ?? 10_000)
const HARNESS = join(import.meta.dirname, "../harness")
const TOKEN = "bench"
const LIMIT_MS = 600_000
/** The plugin's idle time before it collects its heap, and some more. */
const IDLE_MS = 12_000
const MEASURES = ["resident MB", "proportional set MB", "working set of its cgroup MB"]
const few = FEW.toLocaleString("en")
const many = MANY.toLocaleString("en")

export const goals: Readonly<Record<string, number>> = {
  ...goalsOf(`plugin idle, ${few} files`, 120),
  ...goalsOf(`plugin idle, ${many} files`, 400),
  ...goalsOf(`agent idle, ${few} files`, 60),
}

function goalsOf(name: string, most: number): Record<string, number> {
  return Object.fromEntries(MEASURES.map((measure) => [`${name}, ${measure}`, most]))
}

/**
 * What the packed programs hold when idle: resident; proportional, where pages that several processes map (the text of
 * Node) are shared out; of no file; and what Kubernetes charges, the working set of a cgroup of their own, where this
 * user can make one. HEADRACE_MEMORY_FILES is the larger number of files, 10,000 unless it is set.
 */
export async function run(): Promise<Record<string, number>> {
  const small = await withFolder((folder) => measure(folder, FEW, measureAgent))
  const large = await withFolder((folder) => measure(folder, MANY))
  return { ...small, ...large }
}

async function measure(
  folder: string,
  files: number,
  also?: (folder: string, kubeconfig: string) => Promise<Record<string, number>>,
): Promise<Record<string, number>> {
  const repository = await createBenchRepository(join(folder, "repository.git"), files, true)
  const port = await freePort()
  const execArgv = ["--conditions=source", "--no-warnings"]
  const kube = fork(join(HARNESS, "kube-process.ts"), [String(port), TOKEN], { execArgv })
  kube.send("up")
  await once(kube, "message")
  const redis = await startLocalRedis({})
  try {
    const kubeconfig = join(folder, "kubeconfig")
    await writeFile(kubeconfig, embeddedKubeconfig(`http://127.0.0.1:${port}`, TOKEN))
    const plugin = await measurePlugin(folder, repository, { files, kubeconfig, redisUrl: redis.url })
    return { ...plugin, ...(await also?.(folder, kubeconfig)) }
  } finally {
    await redis.close()
    kube.disconnect()
  }
}

async function measurePlugin(
  folder: string,
  { folder: repo, branch, rules }: BenchRepository,
  { files, kubeconfig, redisUrl }: { files: number; kubeconfig: string; redisUrl: string },
): Promise<Record<string, number>> {
  const config = join(folder, "headrace.yaml")
  const secret = join(folder, "secret")
  await writeFile(secret, "of the bench")
  const source = { repo, branch, rules, repository: "example/bench", pollSeconds: 600 }
  const paths = { secret, mirrors: join(folder, "mirrors") }
  const kubeconfigs = new Map([[DEFAULTS.cluster, kubeconfig]])
  await writeFile(config, localOperatorSettings(source, kubeconfigs, paths))
  const args = ["--config", config, "--listen", "127.0.0.1:0"]
  const plugin = startMeasured("plugin", args, { REDIS_URL: redisUrl })
  const isDone = () => plugin.log().some(({ msg, result }) => msg === "reconciled" && result === "applied")
  return whenIdle(plugin, isDone, `plugin idle, ${files.toLocaleString("en")} files`)
}

async function measureAgent(folder: string, kubeconfig: string): Promise<Record<string, number>> {
  const config = join(folder, "agent.yaml")
  await writeFile(config, localAgentSettings(kubeconfig, join(folder, "node"), "127.0.0.1:0"))
  const agent = startMeasured("agent", ["--config", config])
  const isShown = () => agent.log().some(({ msg }) => msg === "revision published")
  return whenIdle(agent, isShown, `agent idle, ${few} files`)
}

async function whenIdle(
  program: MeasuredProgram,
  isDone: () => boolean,
  name: string,
): Promise<Record<string, number>> {
  try {
    await until(isDone, LIMIT_MS)
    await delay(IDLE_MS)
    return program.memory(name)
  } finally {
    await program.end()
  }
}
