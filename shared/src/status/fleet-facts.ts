import type { CommitSummary } from "../git/objects/commit-summary.ts"
import type { Lease } from "../kube/lease-api.ts"
import type { LaneOutcome } from "../lanes/lane-outcome.ts"
import type { LanePause } from "../lanes/lane-pauses.ts"
import type { NotedDelivery } from "../lanes/recent-deliveries.ts"
import type { FailedTarget, SourceRecord } from "../record/record.ts"
import type { Verification } from "../record/verification.ts"
import type { Answer } from "./answer.ts"
import type { WordStatus } from "./fleet-status.ts"
import type { RolloutPace } from "./rollout-status.ts"

/** Everything that was found out about all sources and clusters, before it is judged. */
export interface FleetFacts {
  /** When it was asked, in milliseconds since the epoch: every age counts from here. */
  at: number
  /** By source; a source that was not asked about is absent. */
  branches: ReadonlyMap<string, Answer<BranchFacts>>
  /** Undefined: nothing says where Redis is. */
  lanes: Answer<LaneFacts> | undefined
  clusterSources: readonly ClusterSourceFacts[]
}

/** The branch of a source, as git has it now. */
export interface BranchFacts {
  commit: string
  seq: number
  /** What the mirror knows of the tip and of the commits that records show. */
  commits: ReadonlyMap<string, CommitFacts>
}

export interface CommitFacts extends CommitSummary {
  seq: number
  /** False: the branch was rewritten and no longer contains it. */
  isInBranch: boolean
}

/** What Redis keeps of the lanes. */
export interface LaneFacts {
  /** When each lane last brought a source to its goal, in milliseconds since the epoch, by `cluster source`. */
  successes: ReadonlyMap<string, number>
  /** The newest outcome, by `cluster source`. */
  outcomes: ReadonlyMap<string, LaneOutcome>
  /** The webhook deliveries that arrived last, newest first; none where nobody wants to know. */
  deliveries: readonly NotedDelivery[]
  /** True when Redis has used up its memory and takes no wake-up. */
  isFull: boolean
  /** What the last look at a rollout waits for, by `cluster source`. */
  holdUps?: ReadonlyMap<string, readonly string[]>
  /** When a lane tries a source again that did not succeed, in milliseconds since the epoch, by `cluster source`. */
  retries?: ReadonlyMap<string, number>
  /** Of lanes that another program has paused, or had within a week, by cluster. */
  pauses?: ReadonlyMap<string, LanePause>
}

/** One source in one cluster. */
export interface ClusterSourceFacts {
  cluster: string
  source: string
  /** False: named ConfigMaps alone are written, and no agent follows a record there. */
  keepsStore: boolean
  /** `namespace/name` of the record. */
  recordName: string
  /** Undefined value: there is none. */
  record: Answer<SourceRecord | undefined>
  /** What was found of the signatures of what the record shows; undefined: nothing, or the source is not verified. */
  verification?: Verification | undefined
  /** Words of operators that no program with the key has obeyed; undefined: the settings name no namespace for them. */
  words?: Answer<readonly WordStatus[]> | undefined
  /** The agents' Leases, read before the record, so that no node can be ahead of it. Undefined value: they may not be listed. */
  leases: Answer<readonly Lease[] | undefined>
  /** Every failed target; unknown when there are more than the record lists and the store's list cannot be read. */
  failed: Answer<readonly FailedTarget[]>
  /** How long the stages of its rollouts take; undefined: the settings have none. */
  pace?: RolloutPace | undefined
  /** The nodes that the stage of a rollout rests on; undefined: none, or they are not known. */
  expected?: readonly string[] | undefined
  /** Undefined value: there is no store. */
  store: Answer<StoreSize | undefined>
  /** `namespace/name` of ConfigMaps that the source wrote and no rule names any more. */
  orphans: Answer<readonly string[]>
}

export interface StoreSize {
  targets: number
  files: number
  bytes: number
}

/** The key of a source in a cluster in the maps of LaneFacts. */
export function laneKey(cluster: string, source: string): string {
  return `${cluster} ${source}`
}
