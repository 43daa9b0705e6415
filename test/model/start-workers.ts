import { pruneOrphans } from "@headrace/shared/reconcile/operate/find-orphans"
import type { ReconcileOutcome, ReconcilePorts, ReconcileRequest } from "@headrace/shared/reconcile/run/ports"
import { reconcilePorts } from "../harness/reconcile-ports.ts"
import { comparePlans } from "./compare-plans.ts"
import { gatedClock, gatedKube, gatedRepository, startWorker, type Worker } from "./gates.ts"
import { reportsOf } from "./model-agents.ts"
import { settingsFor } from "./model-settings.ts"
import { OWN_NAMESPACE, type Source } from "./model-sources.ts"
import type { MonitoredCluster } from "./monitored-cluster.ts"
import { newProgram, type Program, timeOf } from "./programs.ts"
import { NEVER, type Simulation } from "./simulation.ts"

/** A process that has just started: it remembers nothing, and has read the settings as they are. */
export function freshProgram({ settings }: Simulation): Program {
  return newProgram(settings.current)
}

/** A run of a program, by default of one that has just started. */
export function startReconcile(
  simulation: Simulation,
  cluster: MonitoredCluster,
  source: Source,
  mode: ReconcileRequest["mode"],
  program: Program = freshProgram(simulation),
): Worker {
  return startWorker("reconcile", cluster.name, async (worker) => {
    await runOnce(simulation, { cluster, source, mode, program, worker })
  })
}

interface RunInput {
  cluster: MonitoredCluster
  source: Source
  mode: ReconcileRequest["mode"]
  program: Program
  worker: Worker
}

/** Reconciles as open-reconciler.ts does: a full run first notes what the nodes report. */
async function runOnce(
  simulation: Simulation,
  { cluster, source, mode, program, worker }: RunInput,
): Promise<{ ports: ReconcilePorts; outcome: ReconcileOutcome }> {
  const { subject, tally } = simulation
  const ports = portsOf(simulation, cluster, source, worker, program)
  const place = { cluster: cluster.name, source }
  if (mode === "full") await subject.noteNodeTokens(ports, reportsOf(simulation, cluster), place, NEVER)
  const outcome = await subject.reconcile({ ...place, mode }, ports, NEVER)
  const { result, stopped, failed } = outcome
  tally.count(`reconcile: ${result}${stopped ? ` by ${stopped.code}` : ""}`)
  for (const { reason } of failed) tally.count(`target failed: ${codeOf(reason)}`)
  await comparePlans(simulation, source, ports, outcome.record).catch((error: unknown) => {
    simulation.violations.push(error)
  })
  return { ports, outcome }
}

/**
 * Reads a record as watch-records.ts does, and reconciles it in full when it was put back. What nodes report is noted once
 * by each process. True when it was.
 */
export async function watchRecord(
  simulation: Simulation,
  cluster: MonitoredCluster,
  source: Source,
  program: Program,
  worker: Worker,
): Promise<boolean> {
  const { subject, tally } = simulation
  const ports = portsOf(simulation, cluster, source, worker, program)
  const place = { cluster: cluster.name, source }
  const pair = `${cluster.name} ${source}`
  if (!program.watched.has(pair))
    await subject.noteNodeTokens(ports, reportsOf(simulation, cluster), place, NEVER)
  program.watched.add(pair)
  const read = await subject.readRecordInForce(ports, place, NEVER)
  if (!read?.isPutBack) return false
  tally.count("watchdog: a record was put back")
  await runOnce(simulation, { cluster, source, mode: "full", program, worker })
  return true
}

/** The code that a reason begins or ends with. */
function codeOf(reason: string): string {
  return /^[a-z-]+\/[a-z-]+(?=:)|(?<=\[)[a-z-]+\/[a-z-]+(?=\]$)/.exec(reason)?.[0] ?? reason
}

/** `apply --direct --prune`: a full run, then what its plan no longer names is removed. */
export function startPrune(
  simulation: Simulation,
  cluster: MonitoredCluster,
  source: Source,
  program: Program,
): Worker {
  return startWorker("prune", cluster.name, async (worker) => {
    const { ports, outcome } = await runOnce(simulation, { cluster, source, mode: "full", program, worker })
    if (outcome.stopped || outcome.result === "superseded") return
    const place = { cluster: cluster.name, source }
    const orphans = await simulation.subject.findOrphans(ports, place, NEVER, outcome)
    const removed = await pruneOrphans(ports.kube, orphans.found, NEVER)
    simulation.tally.count(orphans.unknown ? "prune: not known" : "prune: known")
    if (removed.length > 0) simulation.tally.count("prune: removed")
  })
}

export function startGarbage(
  simulation: Simulation,
  cluster: MonitoredCluster,
  program: Program = freshProgram(simulation),
): Worker {
  return startWorker("garbage", cluster.name, async (worker) => {
    const { kube, clock } = portsOf(simulation, cluster, "release", worker, program)
    const ports = { kube, clock, namespace: OWN_NAMESPACE, grace: 60 * 60_000 }
    const result = await simulation.subject.collectGarbage(ports, NEVER)
    if (result.skipped) simulation.tally.count("garbage: skipped")
    for (const what of ["marked", "unmarked", "deleted"] as const) {
      if (result[what] > 0) simulation.tally.count(`garbage: ${what}`)
    }
  })
}

/** Real ports, every call through the worker's gates. */
export function portsOf(
  simulation: Simulation,
  cluster: MonitoredCluster,
  source: Source,
  worker: Worker,
  program: Program,
): ReconcilePorts {
  const own = simulation.repositories[source]
  const fails = failsAt(simulation)
  const repository = gatedRepository(worker, own, fails)
  const rules = simulation.rules[source]
  return reconcilePorts({
    kube: gatedKube(worker, cluster.kubeOf(worker, program.settings), cluster.past),
    repository,
    rulesRepository: rules === own ? repository : gatedRepository(worker, rules, fails),
    clock: gatedClock(worker, () => timeOf(simulation, program)),
    memory: program.memories[source],
    settings: settingsFor(program.settings, source, simulation.allowForcePush),
  })
}

/** Says of each git read of one process whether it fails. */
function failsAt(simulation: Simulation): () => boolean {
  const { gitFaults, started, nextGitFault } = simulation
  simulation.started += 1
  simulation.nextGitFault = undefined
  const fault = nextGitFault ?? gitFaults[started % Math.max(1, gitFaults.length)]
  let reads = 0
  return () => {
    // A process that is woken once faults have ended meets none.
    const isFault = reads++ === fault && simulation.hasGitFaults
    if (isFault) simulation.tally.count("git: a read fails")
    return isFault
  }
}
