import { isDeepStrictEqual } from "node:util"
import { canonicalJson } from "../../foundation/canonical-json.ts"
import { type GuardLimits, windowOf } from "../../gates/guard/judge-change.ts"
import { pastAfter } from "../../gates/guard/past-deletions.ts"
import { recordJson } from "../../record/fit-record.ts"
import { holdInForce } from "../../record/goal.ts"
import { historyWith } from "../../record/history-with.ts"
import { intentsAfter } from "../../record/intents.ts"
import type { FailedTarget, ForeignWrite, SourceRecord } from "../../record/record.ts"
import { isUsedUp } from "../../record/spent-words.ts"
import { countedDeletions } from "../decide/counted-deletions.ts"
import type { Judged } from "../decide/judge-work.ts"
import type { DesiredRevision } from "../run/revision.ts"

/** How many writes of others are listed, and for how long. */
const FOREIGN = 5
const FOREIGN_MS = 7 * 24 * 3_600_000

/** What a run has achieved when it comes to the swap. */
export interface Achieved {
  desired: DesiredRevision
  rules: string
  root: string | null
  /** Every one of them (list-failed.ts), and the digest of the object that lists them; null: the record does. */
  failed: readonly FailedTarget[]
  failures: string | null
  /** What the guard found of the change. */
  judged: Judged
  /** What the guard counts. */
  guard: GuardLimits | "off"
  /** Whose settings these are; null: they give no version. */
  settings: SourceRecord["settings"]
  /** Writes of others that were found in this run. */
  foreign: readonly ForeignWrite[]
  /** Why the goal itself was not reached, when the desired revision was another. */
  stopped: SourceRecord["stopped"]
  /** Milliseconds since the epoch. */
  now: number
  /** Milliseconds that the clock of `now` was found behind the API server's, which all writers share. */
  behind: number
}

/**
 * The record after this run: the swap that makes it true is the commit. What merely became too old to count is no news:
 * where nothing else has changed the record stays as it is, and a later change drops it. Pure.
 */
export function committedRecord(base: SourceRecord, achieved: Achieved): SourceRecord {
  const next = nextRecord(base, achieved)
  if (achieved.foreign.length > 0 || hasDeletions(achieved)) return next
  const isSame = sameRecord({ ...next, deletions: base.deletions, foreign: base.foreign }, base)
  return isSame ? base : next
}

function hasDeletions({ judged }: Achieved): boolean {
  return judged.approved || (judged.size?.deletedKeys ?? 0) > 0
}

function nextRecord(base: SourceRecord, achieved: Achieved): SourceRecord {
  const { desired, root } = achieved
  return {
    ...base,
    token: desired.token,
    commit: desired.commit,
    rulesCommit: desired.rulesCommit,
    rules: achieved.rules,
    root,
    ...holdAndDeletions(base, achieved),
    approved:
      base.approved && isUsedUp(base.approved, { ...desired, rules: achieved.rules }) ? null : base.approved,
    intents: intentsAfter(base.intents, desired.token),
    failed: [...achieved.failed],
    failedMore: 0,
    failures: achieved.failures,
    settings: achieved.settings ?? base.settings,
    foreign: listForeign(base.foreign, achieved),
    stopped: achieved.stopped,
    history: historyAfter(base, root),
    // What an operator or a blank record goes to directly is not what was promoted.
    previous: base.commit === desired.commit ? base.previous : null,
  }
}

/**
 * The hold and the past deletions of a record after a change that was judged, also one that a rollout only tries. While the
 * guard has stopped a source no time passes for its window, for commits of last good, too; nor while it is held. Deletions
 * are dated by the API server where our clock is behind: a writer that is days behind would date them, and those that are
 * there, to before the window. One that is ahead makes them count for longer. Pure.
 */
export function holdAndDeletions(
  base: SourceRecord,
  change: Pick<Achieved, "judged" | "guard" | "stopped" | "now" | "behind">,
): Pick<SourceRecord, "hold" | "deletions"> {
  const { judged, guard, stopped } = change
  const hold = base.hold && holdInForce(base.hold, change.now) ? base.hold : null
  const isHeld = hold !== null
  const [window, atLeast] = guard === "off" ? [0, 0] : [windowOf(guard), guard.atLeast]
  const at = change.now + change.behind
  const now = stopped?.judged ? Math.min(at, Date.parse(stopped.judged.since)) : at
  const past = isHeld ? base.deletions : countedDeletions(base, change.now).past
  return { hold, deletions: pastAfter(past, { ...judged, window, atLeast, now, isHeld }) }
}

/** True when both would be written as the same bytes. */
export function sameRecord(a: SourceRecord, b: SourceRecord): boolean {
  return isDeepStrictEqual(a, b) || recordJson(a) === recordJson(b)
}

/** True when nothing was committed between the two; operators may have spoken, and intents been opened. */
export function isSameCommit(a: SourceRecord, b: SourceRecord): boolean {
  function shown(record: SourceRecord): string {
    const { token, commit, rulesCommit, rules, root, history, candidate, previous } = record
    const revision = { token, commit, rulesCommit, rules, root, history }
    const tried = candidate && { token: candidate.token, view: candidate.view }
    return canonicalJson({ ...revision, tried, returns: previous !== null })
  }
  return shown(a) === shown(b)
}

/** The writes of others after a run that found `foreign`: newest first, each target and writer once. Pure. */
export function listForeign(
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
  // Without a store for a second time, no agent is left to catch up, and what the history names would stay for ever.
  return root === null && base.root === null ? [] : historyWith(base, root)
}
