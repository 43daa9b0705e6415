import { randomBytes } from "node:crypto"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { procUsage } from "../harness/proc-usage.ts"
import { type MarkedRun, runMarked } from "../harness/run-marked.ts"
import { until } from "../harness/until.ts"
import { withFolder } from "../harness/with-folder.ts"
import { type TestKube, withKube } from "../harness/with-kube.ts"
import { commitOf, type TargetFiles, writeRevision } from "../harness/write-revision.ts"
import { quantile } from "./quantile.ts"

const PROGRAM = join(import.meta.dirname, "../../agent/dist/main.js")
const STARTS = 5
const CHANGES = 10
const IDLE_MS = 10_000
const LIMIT_MS = 120_000

/** What one agent costs its node: to start, when idle, after changes, and while it assembles much. */
export async function run(): Promise<Record<string, number>> {
  const many = await withTarget(5000, 4096, (target) => measureIdle(target))
  const large = await withTarget(5000, 40_000, (target) => measureAssembly(target))
  return { ...many, ...large }
}

/** A target in an API server of its own, and agents that project it. */
interface Target {
  files: TargetFiles
  write(seq: number, files: TargetFiles): Promise<void>
  /** Starts an agent on a folder and ends it when `use` has. */
  withRunningAgent<T>(use: (agent: MarkedRun) => Promise<T>): Promise<T>
  untilPublished(agent: MarkedRun, seq: number): Promise<void>
}

async function withTarget<T>(count: number, bytes: number, use: (target: Target) => Promise<T>): Promise<T> {
  return await withFolder((folder) =>
    withKube(async (kube) => {
      const write = async (seq: number, files: TargetFiles) => {
        await writeRevision(inProcessClient(kube.store), { seq, targets: { "ci/jobs": files } })
      }
      const files = Object.fromEntries(
        Array.from({ length: count }, (_, at) => [
          `d${at % 50}/file-${at}.yaml`,
          randomBytes(bytes / 2).toString("hex"),
        ]),
      )
      await write(1, files)
      return await use({
        files,
        write,
        withRunningAgent: (action) => withRunningAgent(folder, kube, action),
        untilPublished: (agent, seq) =>
          until(() => agent.output().includes(`"revision":"${commitOf(seq)}"`), LIMIT_MS),
      })
    }),
  )
}

async function withRunningAgent<T>(
  folder: string,
  { kubeconfigFile }: TestKube,
  use: (agent: MarkedRun) => Promise<T>,
): Promise<T> {
  const config = join(folder, "agent.yaml")
  const settings = {
    version: 1,
    record: "headrace/release",
    kubeconfig: kubeconfigFile,
    listen: "127.0.0.1:0",
    report: { node: "bench" },
    projections: {
      jobs: { path: join(folder, "jobs"), keep: { age: "0s" }, from: [{ configMap: "ci/jobs" }] },
    },
  }
  await writeFile(config, JSON.stringify(settings))
  const agent = runMarked([PROGRAM, "--config", config])
  try {
    return await use(agent)
  } finally {
    agent.child.kill("SIGTERM")
    await agent.ended
  }
}

async function measureIdle(target: Target): Promise<Record<string, number>> {
  const first = await target.withRunningAgent(async (agent) => {
    await target.untilPublished(agent, 1)
    const peak = procUsage(agent.child.pid).peakMegabytes
    await delay(IDLE_MS)
    return { peak, idle: procUsage(agent.child.pid).residentMegabytes }
  })
  const starts: number[] = []
  for (let start = 0; start < STARTS; start++) starts.push(await startMilliseconds(target))
  const restarted = await target.withRunningAgent(async (agent) => {
    await delay(IDLE_MS)
    return procUsage(agent.child.pid).residentMegabytes
  })
  const later = await target.withRunningAgent(async (agent) => {
    for (let change = 0; change < CHANGES; change++) {
      await target.write(change + 2, { ...target.files, "d0/file-0.yaml": `change ${change}` })
      await target.untilPublished(agent, change + 2)
    }
    await delay(IDLE_MS)
    const before = procUsage(agent.child.pid).cpuSeconds
    const idle = procUsage(agent.child.pid).residentMegabytes
    await delay(IDLE_MS)
    return { idle, cpu: ((procUsage(agent.child.pid).cpuSeconds - before) / (IDLE_MS / 1000)) * 100 }
  })
  return {
    "5,000 files: start to serving, p50 ms": quantile(starts, 0.5),
    "5,000 files: first publish, peak resident MB": first.peak,
    "5,000 files: idle after the first publish, resident MB": first.idle,
    "5,000 files: idle after a restart, resident MB": restarted,
    "5,000 files: idle after 10 changes, resident MB": later.idle,
    "5,000 files: idle, % of one CPU": later.cpu,
  }
}

async function startMilliseconds(target: Target): Promise<number> {
  const begun = performance.now()
  return await target.withRunningAgent(async (agent) => {
    await until(() => agent.output().includes("agent started"))
    return performance.now() - begun
  })
}

async function measureAssembly(target: Target): Promise<Record<string, number>> {
  return await target.withRunningAgent(async (agent) => {
    await target.untilPublished(agent, 1)
    const peak = procUsage(agent.child.pid).peakMegabytes
    await delay(IDLE_MS)
    return {
      "200 MB in 5,000 files: peak while assembled, resident MB": peak,
      "200 MB in 5,000 files: idle, resident MB": procUsage(agent.child.pid).residentMegabytes,
    }
  })
}
