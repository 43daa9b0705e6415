import { canonicalJson } from "../../foundation/canonical-json.ts"
import { recordJson } from "../../record/fit-record.ts"
import { holdInForce } from "../../record/goal.ts"
import { intentsAfter } from "../../record/intents.ts"
import { AHEAD_REASON, type FailedTarget, type ForeignWrite, type SourceRecord } from "../../record/record.ts"
import type { DesiredRevision } from "../run/revision.ts"

/** Earlier revisions that the store keeps for agents which have not caught up. */
const HISTORY = 3
/** How many writes of others are listed, and for how long. */
const FOREIGN = 5
const FOREIGN_MS = 7 * 24 * 3_600_000

/** What a run has achieved when it comes to the swap. */
export interface Achieved {
  desired: DesiredRevision
  rules: string
  root: string | null
  /** `namespace/name` to the reason. */
  failed: ReadonlyMap<string, string>
  /** `namespace/name` of those that carry a larger token than any that the record knows. */
  ahead: readonly string[]
  /** Writes of others that were found in this run. */
  foreign: readonly ForeignWrite[]
  /** Why the goal itself was not reached, when the desired revision was another. */
  stopped: SourceRecord["stopped"]
  /** Milliseconds since the epoch. */
  now: number
}

/** The record after this run: the swap that makes it true is the commit. Pure. */
export function committedRecord(base: SourceRecord, achieved: Achieved): SourceRecord {
  const { desired, root } = achieved
  return {
    ...base,
    token: desired.token,
    commit: desired.commit,
    rulesCommit: desired.rulesCommit,
    rules: achieved.rules,
    root,
    hold: base.hold && holdInForce(base.hold, achieved.now) ? base.hold : null,
    approved: base.approved === desired.commit ? null : base.approved,
    intents: intentsAfter(base.intents, desired.token),
    failed: listFailed(base.failed, achieved),
    failedMore: 0,
    foreign: listForeign(base.foreign, achieved),
    stopped: achieved.stopped,
    history: historyAfter(base, root),
  }
}

/** True when both would be written as the same bytes. */
export function sameRecord(a: SourceRecord, b: SourceRecord): boolean {
  return recordJson(a) === recordJson(b)
}

/** True when nothing was committed between the two; operators may have spoken, and intents been opened. */
export function isSameCommit(a: SourceRecord, b: SourceRecord): boolean {
  function shown({ token, commit, rulesCommit, rules, root, history }: SourceRecord): string {
    return canonicalJson({ token, commit, rulesCommit, rules, root, history })
  }
  return shown(a) === shown(b)
}

/**
 * In place order, after those whose token is larger than the record's: the record may have no room for all, and these
 * decide what the next run does. A target that failed before keeps the time since when.
 */
function listFailed(before: readonly FailedTarget[], achieved: Achieved): FailedTarget[] {
  const ahead = new Set(achieved.ahead)
  const others = [...achieved.failed].filter(([target]) => !ahead.has(target)).sort()
  return [
    ...[...ahead].sort().map((target) => ({ ...failure(target, AHEAD_REASON), ahead: true as const })),
    ...others.map(([target, reason]) => failure(target, reason)),
  ]

  function failure(target: string, reason: string): FailedTarget {
    const earlier = before.find((one) => one.target === target)
    return { target, reason, since: earlier?.since ?? new Date(achieved.now).toISOString() }
  }
}

/** Newest first, each target and writer once. */
function listForeign(
  before: readonly ForeignWrite[],
  { foreign, now }: Pick<Achieved, "foreign" | "now">,
): ForeignWrite[] {
  const found = new Set(foreign.map(({ target, writer }) => `${target} ${writer}`))
  const earlier = before.filter(
    ({ target, writer, at }) => !found.has(`${target} ${writer}`) && Date.parse(at) + FOREIGN_MS > now,
  )
  return [...foreign, ...earlier].slice(0, FOREIGN)
}

function historyAfter(base: SourceRecord, root: string | null): SourceRecord["history"] {
  const { commit, token } = base
  const last = base.root !== null && commit !== null ? [{ commit, token, root: base.root }] : []
  return [...last, ...base.history].filter((revision) => revision.root !== root).slice(0, HISTORY)
}
