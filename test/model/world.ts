import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { createLog } from "@headrace/shared/observe/log"
import {
  collectGarbage,
  type GarbagePorts,
  type GarbageResult,
} from "@headrace/shared/reconcile/collect-garbage"
import { reconcile } from "@headrace/shared/reconcile/reconcile"
import { createReconcileMemory } from "@headrace/shared/reconcile/reconcile-memory"
import type {
  ReconcileOutcome,
  ReconcilePorts,
  ReconcileRequest,
} from "@headrace/shared/reconcile/reconcile-ports"
import { gatedClock, gatedKube, gatedRepository, startWorker, type Worker } from "./gates.ts"
import { type ModelRepository, modelRepository } from "./model-repository.ts"
import { CLUSTERS, NAMESPACES, RULE_TEXTS, RULES_PATH, TOOL_RULES } from "./model-rules.ts"
import { type MonitoredCluster, monitoredCluster, type Watcher } from "./monitored-cluster.ts"

export const OWN_NAMESPACE = "headrace"
export const GUARD = { deletedKeys: 0.5, deletedConfigMaps: 0.5, atLeast: 1 }

export type Source = "release" | "tools"

/** The code under test, whole or with one rule of it broken. */
export interface Subject {
  reconcile(request: ReconcileRequest, ports: ReconcilePorts, signal: AbortSignal): Promise<ReconcileOutcome>
  collectGarbage(ports: GarbagePorts, signal: AbortSignal): Promise<GarbageResult>
}

export const SOUND: Subject = { reconcile, collectGarbage }

/** Everything there is in a schedule: repositories, clusters, workers, time. */
export interface World {
  subject: Subject
  clusters: readonly MonitoredCluster[]
  repositories: Readonly<Record<Source, ModelRepository>>
  workers: Worker[]
  /** Milliseconds since the epoch. */
  now: number
  /** The setting of the sources. */
  allowForcePush: boolean
  /** A record was lost, and no operator has rewound since. */
  lost: boolean
}

/** What a world is made of, where it is not the usual. */
export interface WorldOptions {
  subject?: Subject
  /** Each cluster's API server; without it each has the embedded one's state in process. */
  clients?: ReadonlyMap<string, ConfigMapWriter>
  allowForcePush?: boolean
}

export const NEVER = new AbortController().signal

export function createWorld(options: WorldOptions, watcher: Watcher): World {
  const files = new Map([
    [RULES_PATH, RULE_TEXTS[0] ?? ""],
    ["a/0.txt", "v0"],
    ["a/1.txt", "v1"],
    ["b/0.txt", "v2"],
    ["b/1.txt", "v3"],
  ])
  const tools = new Map([
    [RULES_PATH, TOOL_RULES],
    ["t/0.txt", "v0"],
  ])
  return {
    subject: options.subject ?? SOUND,
    allowForcePush: options.allowForcePush ?? false,
    lost: false,
    clusters: CLUSTERS.map((name) => monitoredCluster(name, watcher, options.clients?.get(name))),
    repositories: { release: modelRepository(files), tools: modelRepository(tools) },
    workers: [],
    now: Date.UTC(2026, 0, 1),
  }
}

/** A process that reconciles, with a memory of its own. */
export function startReconcile(
  world: World,
  cluster: MonitoredCluster,
  source: Source,
  mode: ReconcileRequest["mode"],
): Worker {
  return startWorker("reconcile", async (worker) => {
    const ports = portsOf(world, cluster, source, worker)
    await world.subject.reconcile({ cluster: cluster.name, source, mode }, ports, NEVER)
  })
}

export function startGarbage(world: World, cluster: MonitoredCluster): Worker {
  return startWorker("garbage", (worker) => {
    const { kube, clock } = portsOf(world, cluster, "release", worker)
    return world.subject.collectGarbage({ kube, clock, namespace: OWN_NAMESPACE, grace: 60 * 60_000 }, NEVER)
  })
}

/** Real ports, every call through the worker's gates. */
export function portsOf(
  world: World,
  cluster: MonitoredCluster,
  source: Source,
  worker: Worker,
): ReconcilePorts {
  const repository = gatedRepository(worker, world.repositories[source])
  return {
    kube: gatedKube(worker, cluster.kube),
    repository,
    rulesRepository: repository,
    clock: gatedClock(worker, () => world.now),
    log: SILENT,
    memory: createReconcileMemory(),
    settings: {
      namespace: OWN_NAMESPACE,
      repo: "org/repo",
      rulesPath: RULES_PATH,
      strict: false,
      foreignKeys: "remove",
      allowForcePush: world.allowForcePush,
      defaults: { cluster: "east", namespace: "ci" },
      guard: GUARD,
      clusters: new Map(CLUSTERS.map((name) => [name, { namespaces: NAMESPACES }])),
      store: true,
    },
  }
}

const SILENT = createLog("model", { level: "silent" })
