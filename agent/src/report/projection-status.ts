import { type ErrorCode, errorMessage, HeadraceError } from "@headrace/shared/foundation/errors"
import type { Token } from "@headrace/shared/record/record"
import type { HealthState } from "../health/judge-health.ts"
import { withNamesAlike } from "../store/store.ts"

/** What a projection shows at one time, as disk has it. */
export interface ShownRevision {
  /** The commit, or a digest where no commit is its source. */
  id: string
  token: Token
  /** Whose token that is (Origin's `source`); `""` where it is not known. */
  source?: string
  /** Counts the revisions published at this path. */
  number: number
  /** ISO time since which it is shown, as far as this process knows. */
  since: string
}

export interface ProjectionProblem {
  code: string
  message: string
  /** ISO time of its first appearance. */
  since: string
}

/** One projection as readiness, metrics and the node's report see it. */
export interface ProjectionStatus {
  name: string
  path: string
  /** True when the tokens that it shows are the record's, and no git branch's or count of its own. */
  ofRecord: boolean
  shown?: ShownRevision | undefined
  /** True when what is shown is the newest that its sources have offered. */
  current: boolean
  problem?: ProjectionProblem | undefined
  /** For the search for projections: true once it has found which there are, on disk or in the record. */
  isFound?: boolean
  /** What its sources have and it does not show, a sentence each. */
  leftOut?: readonly string[]
  /** How many of its consumers were not yet notified of what is shown. */
  unnotified?: number
  /** What is wrong with what readers see, until it was published again. */
  damage?: string | undefined
  /** True when a source of it is the record, whichever its own tokens are. */
  followsRecord?: boolean
  /** The record's revision that is shown, exactly; undefined: none, or not known yet. */
  recordRevision?: { token: Token; root: string } | undefined
  /** True while the record calls what is shown a candidate. */
  isCandidate?: boolean
  /** What its checks found of what is shown; undefined: it has none. */
  health?: HealthState | undefined
  /** The candidate of a rollout that was refused here, or given up for the revision before. */
  failedCandidate?: FailedCandidate | undefined
  /** Why an operator keeps it at what it shows; undefined: none does. */
  pinned?: string | undefined
}

/** A candidate that is not shown here, and why. */
export interface FailedCandidate extends ProjectionProblem {
  token: Token
  root: string
}

/** The problem that an error reports; the same problem keeps the time of its first appearance. */
export function problemOf(
  error: unknown,
  before: ProjectionProblem | undefined,
  now: string,
): ProjectionProblem {
  const code: ErrorCode = error instanceof HeadraceError ? error.code : "agent/unexpected"
  const message = errorMessage(error)
  const same = before?.code === code && withNamesAlike(before.message) === withNamesAlike(message)
  return { code, message, since: same ? before.since : now }
}
