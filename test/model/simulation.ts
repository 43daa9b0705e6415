import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import {
  collectGarbage,
  type GarbagePorts,
  type GarbageResult,
} from "@headrace/shared/reconcile/operate/collect-garbage"
import { reconcile } from "@headrace/shared/reconcile/reconcile"
import type { ReconcileOutcome, ReconcilePorts, ReconcileRequest } from "@headrace/shared/reconcile/run/ports"
import { reconcilePorts } from "../harness/reconcile-ports.ts"
import { gatedClock, gatedKube, gatedRepository, startWorker, type Worker } from "./gates.ts"
import { type ModelRepository, modelRepository } from "./model-repository.ts"
import { CLUSTERS, NAMESPACES, RULE_TEXTS, RULES_PATH, TOOL_RULE_TEXTS } from "./model-rules.ts"
import { type MonitoredCluster, monitoredCluster, type Watcher } from "./monitored-cluster.ts"
import { startTally, type Tally } from "./tally.ts"

export const OWN_NAMESPACE = "headrace"
/** Each change counts alone: what the model expects of a commit does not depend on those before it. */
export const GUARD = { deletedKeys: 0.5, deletedConfigMaps: 0.5, atLeast: 1, window: 0 }

/** `tools` takes its rules from a repository of their own. */
export type Source = "release" | "tools"
export const SOURCES: readonly Source[] = ["release", "tools"]

/** The code under test, whole or with one rule of it broken. */
export interface Subject {
  reconcile(request: ReconcileRequest, ports: ReconcilePorts, signal: AbortSignal): Promise<ReconcileOutcome>
  collectGarbage(ports: GarbagePorts, signal: AbortSignal): Promise<GarbageResult>
}

export const SOUND: Subject = { reconcile, collectGarbage }

/** A wake-up on its way: it says where to look, and nothing else. */
export interface Delivery {
  cluster: MonitoredCluster
  source: Source
}

/** Everything there is in a schedule: repositories, clusters, deliveries, workers, time. */
export interface Simulation {
  subject: Subject
  clusters: readonly MonitoredCluster[]
  repositories: Readonly<Record<Source, ModelRepository>>
  /** Where each source's rules are: the same repository, unless they come from another. */
  rules: Readonly<Record<Source, ModelRepository>>
  /** In the order in which they were sent, which is not that in which they arrive. */
  deliveries: Delivery[]
  workers: Worker[]
  /** Milliseconds since the epoch. */
  now: number
  /** The setting of the sources. */
  allowForcePush: boolean
  /** Which git read of each process fails, the first being 0, in the order in which they start and round again. */
  gitFaults: readonly number[]
  /** Processes that were started. */
  started: number
  tally: Tally
}

/** What a simulation is made of, where it is not the usual. */
export interface SimulationOptions {
  subject?: Subject
  /** Each cluster's API server; without it each has the embedded one's state in process. */
  clients?: ReadonlyMap<string, ConfigMapWriter>
  allowForcePush?: boolean
  /** Which git read of each process fails while the schedule is played; -1: none. */
  gitFaults?: readonly number[]
  tally?: Tally
}

export const NEVER = new AbortController().signal

export function createSimulation(options: SimulationOptions, watcher: Watcher): Simulation {
  const release = modelRepository(
    new Map([
      [RULES_PATH, RULE_TEXTS[0] ?? ""],
      ["a/0.txt", "v0"],
      ["a/1.txt", "v1"],
      ["b/0.txt", "v2"],
      ["b/1.txt", "v3"],
    ]),
  )
  const tools = modelRepository(new Map([["t/0.txt", "v0"]]))
  const toolRules = modelRepository(new Map([[RULES_PATH, TOOL_RULE_TEXTS[0] ?? ""]]))
  const tally = options.tally ?? startTally()
  return {
    subject: options.subject ?? SOUND,
    allowForcePush: options.allowForcePush ?? false,
    clusters: CLUSTERS.map((name) => monitoredCluster(name, watcher, tally, options.clients?.get(name))),
    repositories: { release, tools },
    rules: { release, tools: toolRules },
    deliveries: [],
    workers: [],
    gitFaults: options.gitFaults ?? [],
    started: 0,
    now: Date.UTC(2026, 0, 1),
    tally,
  }
}

/** A process that reconciles, with a memory of its own. */
export function startReconcile(
  simulation: Simulation,
  cluster: MonitoredCluster,
  source: Source,
  mode: ReconcileRequest["mode"],
): Worker {
  return startWorker("reconcile", async (worker) => {
    const ports = portsOf(simulation, cluster, source, worker)
    const outcome = await simulation.subject.reconcile({ cluster: cluster.name, source, mode }, ports, NEVER)
    const { result, stopped, failed } = outcome
    simulation.tally.count(`reconcile: ${result}${stopped ? ` by ${stopped.code}` : ""}`)
    for (const { reason } of failed) simulation.tally.count(`target failed: ${reason.split(":")[0]}`)
  })
}

export function startGarbage(simulation: Simulation, cluster: MonitoredCluster): Worker {
  return startWorker("garbage", async (worker) => {
    const { kube, clock } = portsOf(simulation, cluster, "release", worker)
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
): ReconcilePorts {
  const own = simulation.repositories[source]
  const fails = failsAt(simulation)
  const repository = gatedRepository(worker, own, fails)
  const rules = simulation.rules[source]
  return reconcilePorts({
    kube: gatedKube(worker, cluster.kubeOf(worker.kind)),
    repository,
    rulesRepository: rules === own ? repository : gatedRepository(worker, rules, fails),
    clock: gatedClock(worker, () => simulation.now),
    settings: {
      rulesPath: RULES_PATH,
      allowForcePush: simulation.allowForcePush,
      guard: GUARD,
      clusters: new Map(CLUSTERS.map((name) => [name, { namespaces: NAMESPACES }])),
    },
  })
}

/** Says of each git read of one process whether it fails. */
function failsAt(simulation: Simulation): () => boolean {
  const { gitFaults, started } = simulation
  simulation.started += 1
  const fault = gitFaults[started % Math.max(1, gitFaults.length)]
  let reads = 0
  return () => {
    // A process that is woken once faults have ended meets none.
    const isFault = reads++ === fault && simulation.gitFaults.length > 0
    if (isFault) simulation.tally.count("git: a read fails")
    return isFault
  }
}
