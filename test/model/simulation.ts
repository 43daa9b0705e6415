import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { type Agent, modelAgents } from "./agent-state.ts"
import type { Backup } from "./backup.ts"
import type { Worker } from "./gates.ts"
import type { InForce } from "./in-force-state.ts"
import { type ModelRepository, modelRepository } from "./model-repository.ts"
import {
  CLUSTERS,
  FEWER_RULES,
  FEWER_RULES_PATH,
  RULE_TEXTS,
  RULES_PATH,
  TOOL_RULE_TEXTS,
} from "./model-rules.ts"
import { FIRST_SETTINGS, type SettingsBook, settingsBook } from "./model-settings.ts"
import type { Source } from "./model-sources.ts"
import { type MonitoredCluster, monitoredCluster, type Watcher } from "./monitored-cluster.ts"
import { newPrograms, type Program } from "./programs.ts"
import { SOUND, type Subject } from "./subject.ts"
import { startTally, type Tally } from "./tally.ts"

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
  /** Those that keep their memory; an op that names none is done by one that has just started. */
  programs: readonly Program[]
  agents: readonly Agent[]
  /** Milliseconds since the epoch. */
  now: number
  /** The latest time that any clock has shown. */
  latest: number
  /** The operator's settings files. */
  settings: SettingsBook
  /** By cluster and source (in-force.ts). */
  inForce: Map<string, InForce>
  /** By cluster, source and token: digest of the settings under which work was begun. */
  begunUnder: Map<string, string | null>
  /** By cluster, its last backup. */
  backups: Map<string, Backup>
  /** True once what targets hold may be something else than what any commit gave. */
  isDoubtful: boolean
  /** The setting of the sources. */
  allowForcePush: boolean
  /** The git read of the next process that fails, the first being 0. */
  nextGitFault: number | undefined
  /** Which git read of each process fails, the first being 0, in the order in which they start and round again. */
  gitFaults: readonly number[]
  /** False once faults have ended. */
  hasGitFaults: boolean
  /** What a process that remembers nothing plans, by revision and settings (compare-plans.ts). */
  coldPlans: Map<string, string>
  /** Processes that were started. */
  started: number
  /** What was found broken and is not thrown yet, in the order in which it was found. */
  violations: unknown[]
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

const START = Date.UTC(2026, 0, 1)
export const NEVER = new AbortController().signal

export function createSimulation(options: SimulationOptions, watcher: Watcher): Simulation {
  const release = modelRepository(
    new Map([
      [RULES_PATH, RULE_TEXTS[0] ?? ""],
      [FEWER_RULES_PATH, FEWER_RULES],
      ["a/0.txt", "v0"],
      ["a/1.txt", "v1"],
      ["b/0.txt", "v2"],
      ["b/1.txt", "v3"],
    ]),
  )
  const tools = modelRepository(new Map([["t/0.txt", "v0"]]))
  const toolRules = modelRepository(new Map([[RULES_PATH, TOOL_RULE_TEXTS[0] ?? ""]]))
  const tally = options.tally ?? startTally()
  const simulation: Simulation = {
    subject: options.subject ?? SOUND,
    allowForcePush: options.allowForcePush ?? false,
    clusters: [],
    repositories: { release, tools },
    rules: { release, tools: toolRules },
    deliveries: [],
    workers: [],
    programs: newPrograms(FIRST_SETTINGS),
    agents: modelAgents(),
    nextGitFault: undefined,
    gitFaults: options.gitFaults ?? [],
    hasGitFaults: true,
    started: 0,
    now: START,
    latest: START,
    settings: settingsBook(options.allowForcePush ?? false),
    inForce: new Map(),
    begunUnder: new Map(),
    backups: new Map(),
    coldPlans: new Map(),
    isDoubtful: false,
    violations: [],
    tally,
  }
  simulation.clusters = CLUSTERS.map((name) => {
    const client = options.clients?.get(name)
    return monitoredCluster(name, { watcher, tally, now: () => simulation.now, client })
  })
  return simulation
}
