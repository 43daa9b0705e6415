import type { LaneOutcome } from "../lanes/lane-outcome.ts"
import type { BranchFacts } from "./fleet-facts.ts"
import type { ClusterSourceStatus } from "./fleet-status.ts"
import type { CommandContext } from "./suggest-command.ts"

/** What is known beside a cluster's own facts; undefined: not asked, or no answer. */
export interface Surroundings {
  /** Milliseconds since the epoch. */
  now: number
  branch: BranchFacts | undefined
  lane:
    | {
        lastSuccess: number | undefined
        outcome: LaneOutcome | undefined
        /** What the last look at its rollout waits for. */
        holdUp: readonly string[]
        /** When it tries again, without any other wake-up; undefined: no retry waits. */
        retry: number | undefined
      }
    | undefined
  context: CommandContext
  /** Commits that a rollout of the source tries, or has returned from, in any cluster; absent: none. */
  staged?: ReadonlySet<string>
}

/** A cluster source's facts without what they give rise to. */
export type JudgedFacts = Omit<ClusterSourceStatus, "findings" | "level">
