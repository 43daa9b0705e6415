import type { ByteRoom } from "../../foundation/byte-room.ts"
import type { Clock } from "../../foundation/clock.ts"
import type { ConfigMap } from "../../foundation/config-map.ts"
import type { GuardLimits } from "../../gates/guard/judge-change.ts"
import type { SourceRepository } from "../../git/source-repository.ts"
import type { CommitVerifier } from "../../git/verify/commit-verifier.ts"
import type { ConfigMapWriter } from "../../kube/config-map-api.ts"
import type { BoundName } from "../../observe/bound-breaches.ts"
import type { Log } from "../../observe/log.ts"
import type { FailedTarget, ForeignWrite, SourceRecord, Token } from "../../record/record.ts"
import type { WriterBounds } from "../../settings/bounds.ts"
import type { Gates } from "../../settings/gates.ts"
import type { OperatorSettings } from "../../settings/operator-settings.ts"
import type { ReconcileMemory } from "./memory.ts"
import type { RolloutPorts } from "./rollout-ports.ts"
import type { TargetSizes } from "./target-sizes.ts"

export interface ReconcileRequest {
  cluster: string
  source: string
  /** `full` looks at every target and every object of the store; `incremental` at what may have changed. */
  mode: "incremental" | "full"
}

/** What the operator's settings say about one source in one cluster. */
export interface ReconcileSettings {
  /** Headrace's own namespace, the same in every cluster. */
  namespace: string
  /** Where the programs and their settings are, the same in every cluster. */
  programsNamespace: string
  /** Where words of operators are from machines without the key; absent: none are taken. */
  wordsNamespace?: string
  /** ORG/NAME, for access lists. */
  repo: string | undefined
  /** Path of the rules in the rules repository. */
  rulesPath: string
  strict: boolean
  foreignKeys: "remove" | "keep"
  allowForcePush: boolean
  defaults: OperatorSettings["defaults"]
  guard: "off" | GuardLimits
  /** The operator's, where the file gives one: smaller ones write nothing. */
  settingsVersion?: number
  /** Every cluster that rules may name, and the namespaces they may name there (absent: any). */
  clusters: ReadonlyMap<string, { namespaces?: readonly string[] }>
  /** Names and patterns of clusters that are left to another program; absent: none. */
  otherClusters?: readonly string[]
  /** Where clusters are listed, where that is not the operator's file. */
  clustersFrom?: "kubeconfigs" | undefined
  /** What a commit must meet before anything of it is written; absent: nothing but the guard. */
  gates?: Gates
  /** False: named ConfigMaps alone. */
  store: boolean
  /** What one merge may cost; absent: the defaults. */
  bounds?: WriterBounds
}

/** Hears of each swap of a record: of the object as it is now, and of what it said before and says now. */
export type SwapListener = (swapped: {
  configMap: ConfigMap
  before: SourceRecord | undefined
  after: SourceRecord
}) => void

/** Who judges the commits of a source, and those of its rules where they come from another source. */
export interface RevisionVerifiers {
  source: CommitVerifier | undefined
  rules: CommitVerifier | undefined
}

/** The world as reconcile sees it. */
export interface ReconcilePorts {
  kube: ConfigMapWriter
  repository: SourceRepository
  /** Where the rules are: the same object as `repository` unless they come from another source. */
  rulesRepository: SourceRepository
  settings: ReconcileSettings
  /** Who judges the signatures of commits; absent: the source is not verified. */
  verifiers?: RevisionVerifiers | undefined
  clock: Clock
  log: Log
  /** Kept between runs to save work; without it each run starts cold. Never needed for what is right. */
  memory?: ReconcileMemory
  /**
   * When the API server made the record, by its clock, in milliseconds since 1970; absent: not known. What a clock of ours
   * that is behind that shows is not the time.
   */
  recordMadeAt?: number
  /** Hears of each stage of a run when it begins, and of the named ConfigMaps that are done, of how many. */
  onProgress?: (stage: keyof Stages, done?: number, total?: number) => void
  /** Where swaps of the record are made known, as Events of Kubernetes; absent: nowhere. */
  onSwap?: SwapListener | undefined
  /** The records of the source in other clusters, of those that answer soon; read when a gate refuses. Absent: none. */
  peers?: (signal: AbortSignal) => Promise<SourceRecord[]>
  /** Counts that this source met one of its bounds; absent: nothing is counted. */
  onBreach?: (bound: BoundName) => void
  /** Room for contents of files, over all clusters and sources; absent: as much as there is. */
  contents?: ByteRoom
  /** Where the sizes of named ConfigMaps are noted, for metrics. */
  sizes?: TargetSizes
  /** By which stages a revision reaches this cluster; absent: the settings have none, and every revision reaches it whole. */
  rollout?: RolloutPorts
}

/** Where the time went, in milliseconds. `store` and `view` overlap. */
export interface Stages {
  fetch: number
  plan: number
  store: number
  view: number
  record: number
}

/** One stretch of a stage, in milliseconds since the epoch. A run passes through some stages more than once. */
export interface Interval {
  stage: keyof Stages
  start: number
  end: number
}

/** What a run did to bring a commit into a record, or to stop at it. */
export interface RunTrace {
  commit: string
  /** The record's uid. */
  uid: string
  start: number
  end: number
  intervals: readonly Interval[]
  /** Why it was stopped; absent: the record shows the commit. */
  error?: string
}

export interface ReconcileOutcome {
  /**
   * `noop`: the record was at the goal. `applied`: it is now. `stopped`: it waits for an operator or a better
   * commit, with last good in force. `superseded`: a writer with a larger token has taken over.
   */
  result: "noop" | "applied" | "stopped" | "superseded"
  /** The record at the end of the run, as far as this run knows. */
  record: SourceRecord
  /** What it shows; null before the first commit. */
  commit: string | null
  token: Token
  /** Why the source is stopped, when it is. */
  stopped: { code: string; message: string; commit: string } | null
  /** ISO time at which the record's hold ends; null without one, or when it has no end. */
  heldUntil: string | null
  /** Objects created or replaced, the record not among them. */
  written: number
  failed: readonly FailedTarget[]
  /** Writes of other programs to our targets that this run found, and repaired. */
  foreign: readonly ForeignWrite[]
  stages: Stages
  /** The run's way to the commit that it brought into the record, or stopped at; absent: it did neither. */
  trace?: RunTrace
  /** Where the source has stages. */
  rollout?: {
    /** What the rollout waits for here, for people; empty: for nothing. */
    holdUp: readonly string[]
    /** Milliseconds after which another look may find more to do; undefined: only a wake-up does. */
    lookAgain: number | undefined
    /** Clusters that wait for what this run has moved here; empty: it has moved nothing. */
    wakes: readonly string[]
  }
  /** How many ConfigMaps of ours no rule names any more; absent: not counted, as in every incremental run. */
  orphans?: number
}
