import { historyWith } from "../record/history-with.ts"
import { epochInForce, intentsAfter, openIntent } from "../record/intents.ts"
import type { SourceRecord } from "../record/record.ts"
import { ALL_NODES, type Candidate, type PreviousRevision, type Rejection } from "../record/rollout-state.ts"
import { isSameRevision } from "./followed-revision.ts"

/** A revision that is in the store, to be tried. */
export type PreparedRevision = Pick<
  Candidate,
  "commit" | "rulesCommit" | "rules" | "token" | "root" | "policy" | "stage" | "hurried" | "skipped" | "word"
>

/**
 * The records that the steps of a rollout swap for the one before. All are pure, and each is one swap: what a program
 * that dies leaves behind is one of them.
 */

/** The candidate is in the store, and no node takes it. Its intent ends, which kept its objects from being collected. */
export function preparedRecord(record: SourceRecord, prepared: PreparedRevision, at: string): SourceRecord {
  const candidate = {
    ...prepared,
    bound: 0,
    selectors: [],
    expected: { count: 0, nodes: null },
    since: at,
    passed: null,
    view: false,
  }
  return { ...record, stopped: null, candidate, intents: intentsAfter(record.intents, prepared.token) }
}

/** A stage begins. */
export function openedRecord(
  record: SourceRecord,
  candidate: Candidate,
  stage: Pick<Candidate, "stage" | "bound" | "selectors" | "expected" | "since" | "view">,
): SourceRecord {
  const intents = intentsAfter(record.intents, candidate.token)
  return { ...record, candidate: { ...candidate, ...stage, passed: null }, intents }
}

/** The checks of its stage have passed. */
export function passedRecord(record: SourceRecord, candidate: Candidate, at: string): SourceRecord {
  return { ...record, candidate: { ...candidate, passed: at } }
}

/** The candidate is the baseline. A rejection of an earlier revision is over: nothing leads back to that one. */
export function promotedRecord(record: SourceRecord, candidate: Candidate): SourceRecord {
  const { commit, rulesCommit, rules, root, token } = candidate
  const { rejected } = record
  return {
    ...record,
    commit,
    rulesCommit,
    rules,
    root,
    token,
    candidate: null,
    previous: baselineOf(record),
    rejected: rejected && rejected.seq < token.seq ? null : rejected,
    approved: record.approved && isSameRevision(record.approved, candidate) ? null : record.approved,
    history: historyWith(record, root),
  }
}

/**
 * Back to the baseline, or to what was in force before it was promoted, in a new epoch: so nodes that showed the
 * candidate follow, and a writer of it that wakes up late is refused. The intent has a reconcile restore the view; the
 * swap itself needs neither git nor a plan. `rejection` is null where nothing failed.
 */
export function returnedRecord(
  record: SourceRecord,
  to: "baseline" | "previous",
  rejection: Rejection | null,
  atLeast = 0,
): SourceRecord {
  const shown = to === "previous" && record.previous ? record.previous : baselineOf(record)
  const rejected = rejection ?? record.rejected
  const dropped = {
    ...record,
    candidate: null,
    previous: to === "previous" ? null : record.previous,
    rejected,
  }
  if (shown === null) return dropped
  const token = { epoch: Math.max(epochInForce(record) + 1, atLeast), seq: shown.token.seq }
  const { commit, rulesCommit, root, rules } = shown
  const history = to === "previous" ? historyWith(record, root) : record.history
  const touched = to === "previous" || record.candidate?.view === true
  return openIntent(
    { ...dropped, commit, rulesCommit, rules, root, token, history },
    { token, commit, rulesCommit, ...(rules === null ? {} : { rules }), targets: touched ? "all" : [] },
  )
}

/** Nothing leads back any more. */
export function settledRecord(record: SourceRecord): SourceRecord {
  return { ...record, previous: null }
}

/** The choice of a stage for all nodes. */
export const EVERY_NODE = { bound: ALL_NODES, selectors: [] } as const

function baselineOf({ commit, rulesCommit, rules, root, token }: SourceRecord): PreviousRevision | null {
  return commit === null ? null : { commit, rulesCommit, rules, root, token }
}
