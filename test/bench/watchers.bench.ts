import { type ChildProcess, fork } from "node:child_process"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { connectCluster } from "@headrace/shared/kube/client-node/connect-cluster"
import { createLog } from "@headrace/shared/observe/log"
import { realKubeMissing } from "../harness/real-kube.ts"
import { until } from "../harness/until.ts"
import { commitOf, NAMESPACE, writeRevision } from "../harness/write-revision.ts"
import { type ApiServer, startApiServer } from "./api-server.ts"
import type { WatchersMessage } from "./watchers/watcher-process.ts"

const COUNTS = process.env.HEADRACE_WATCHERS?.split(",").map(Number) ?? [500, 1000, 2000, 5000]
const OF_A_PROCESS = 1000
const LIMIT_MS = 300_000
const SWAPS = 3

/**
 * Watchers of the record, as agents have them, in processes of a thousand: from a swap until all know of it, and the same
 * when the API server is restarted and the record swapped meanwhile. The real kube-apiserver where KUBEBUILDER_ASSETS names
 * it. HEADRACE_WATCHERS=500,1000 measures so many. What one costs is to be the same for any number.
 */
export async function run(): Promise<Record<string, number>> {
  process.stdout.write(`  ${realKubeMissing() ?? "against the real kube-apiserver"}\n`)
  const figures: Record<string, number> = {}
  for (const count of COUNTS) {
    const server = await startApiServer([NAMESPACE])
    try {
      Object.assign(figures, await measure(server, count))
    } finally {
      await server.close()
    }
  }
  return figures
}

async function measure(server: ApiServer, count: number): Promise<Record<string, number>> {
  const log = createLog("bench", { level: "silent" })
  const writer = await connectCluster("bench", { kubeconfig: server.kubeconfigFile }, log)
  const name = `${count.toLocaleString("en")} watchers`
  const swap = (seq: number) => writeRevision(writer, { seq, targets: { "ci/jobs": { a: String(seq) } } })
  await swap(1)
  const fleet = startWatchers(server.kubeconfigFile, count)
  try {
    await until(() => fleet.showing(commitOf(1)) === count, LIMIT_MS)
    const before = fleet.cpuSeconds()
    const times: number[] = []
    for (let seq = 2; seq < 2 + SWAPS; seq++) {
      const start = performance.now()
      await swap(seq)
      await until(() => fleet.showing(commitOf(seq)) === count, LIMIT_MS)
      times.push((performance.now() - start) / 1000)
    }
    const cpu = (fleet.cpuSeconds() - before) / SWAPS / count
    const restarting = performance.now()
    await server.restart()
    const last = 2 + SWAPS
    await swap(last)
    await until(() => fleet.showing(commitOf(last)) === count, LIMIT_MS)
    return {
      [`${name}: swap until all know, most s`]: Math.max(...times),
      [`${name}: CPU of one for a swap, ms`]: cpu * 1000,
      [`${name}: restart and swap until all know, s`]: (performance.now() - restarting) / 1000,
    }
  } finally {
    fleet.end()
    writer.close()
    await delay(500)
  }
}

function startWatchers(kubeconfig: string, count: number) {
  const latest = new Map<ChildProcess, { shown: Map<string, number>; cpuSeconds: number }>()
  for (let left = count; left > 0; left -= OF_A_PROCESS) {
    const program = join(import.meta.dirname, "watchers/watcher-process.ts")
    const child = fork(program, [kubeconfig, String(Math.min(left, OF_A_PROCESS))], {
      execArgv: ["--conditions=source", "--no-warnings"],
    })
    const state = { shown: new Map<string, number>(), cpuSeconds: 0 }
    latest.set(child, state)
    child.on("message", ({ commit, watchers, cpuSeconds }: WatchersMessage) => {
      state.shown.set(commit, watchers)
      state.cpuSeconds = cpuSeconds
    })
  }
  const sum = (of: (state: { shown: Map<string, number>; cpuSeconds: number }) => number) =>
    [...latest.values()].reduce((total, state) => total + of(state), 0)
  return {
    showing: (commit: string) => sum(({ shown }) => shown.get(commit) ?? 0),
    cpuSeconds: () => sum(({ cpuSeconds }) => cpuSeconds),
    end() {
      for (const child of latest.keys()) child.disconnect()
    },
  }
}
