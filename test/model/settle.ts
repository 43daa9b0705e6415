import { finish, startWorker, type Worker } from "./gates.ts"
import { SOURCES, type Source } from "./model-sources.ts"
import type { MonitoredCluster } from "./monitored-cluster.ts"
import type { Program } from "./programs.ts"
import type { Op, Schedule } from "./schedule.ts"
import type { Simulation } from "./simulation.ts"
import { startReconcile, watchRecord } from "./start-workers.ts"
import { Violation } from "./violation.ts"

/** Rebuilds until nothing changes any more: one to write, one to end what the first could not, one to see. */
const ROUNDS = 3
const SECOND_MS = 1000

/** What only a full run sees: hands, a `detach` that stopped half-way, and what strangers and others did. */
const SEEN_IN_FULL: readonly Op["op"][] = ["hand", "detach", "forge", "terminate", "prune"]

/** Everything but that must come right by looking at what changed, within so many wake-ups. */
export async function settle(simulation: Simulation, schedule: Schedule): Promise<void> {
  simulation.now += SECOND_MS
  const mode = needsFull(schedule) ? "full" : "incremental"
  for (let round = 0; round < ROUNDS; round++) {
    const before = countWrites(simulation)
    await reconcileAll(simulation, mode, isWorld(schedule) ? simulation.programs[round] : undefined)
    if (countWrites(simulation) === before) return
  }
}

/** `adopt` changes marks alone, and the command has a rebuild follow: what a webhook changes on that write, only this sees. */
function needsFull(schedule: Schedule): boolean {
  const has = (wanted: Op["op"]) => schedule.some(({ op }) => op === wanted)
  return SEEN_IN_FULL.some(has) || (has("adopt") && has("place"))
}

/** True where programs keep their memory, and watch records: then one after the other of them is woken. */
function isWorld(schedule: Schedule): boolean {
  return schedule.some((op) => "program" in op || op.op === "restore")
}

function countWrites({ clusters }: Simulation): number {
  return clusters.reduce((sum, { writes }) => sum + writes.length, 0)
}

/** Every record is reconciled, by this program, which also watches it, or by one that has just started. */
export async function reconcileAll(
  simulation: Simulation,
  mode: "incremental" | "full",
  program?: Program,
): Promise<void> {
  for (const cluster of simulation.clusters) {
    for (const source of SOURCES) {
      if (program) await endWell(startWatch(simulation, cluster, source, program))
      await endWell(startReconcile(simulation, cluster, source, mode, program))
    }
  }
}

function startWatch(
  simulation: Simulation,
  cluster: MonitoredCluster,
  source: Source,
  program: Program,
): Worker {
  return startWorker("reconcile", cluster.name, (worker) =>
    watchRecord(simulation, cluster, source, program, worker),
  )
}

/** Runs a worker to its end. Throws a Violation when it fails, or does not end. */
export async function endWell(worker: Worker): Promise<void> {
  await end(worker)
  if (worker.error) throw new Violation(`1: a run fails though the world is well: ${String(worker.error)}`)
}

/** Runs a worker to its end, whatever comes of it. Throws a Violation when it does not end. */
export async function end(worker: Worker): Promise<void> {
  if (!(await finish(worker))) throw new Violation("a worker does not end")
}
