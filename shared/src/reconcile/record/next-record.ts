import { canonicalJson } from "../../foundation/canonical-json.ts"
import { pastAfter } from "../../gates/guard/past-deletions.ts"
import { recordJson } from "../../record/fit-record.ts"
import { holdInForce } from "../../record/goal.ts"
import { intentsAfter } from "../../record/intents.ts"
import type { FailedTarget, ForeignWrite, SourceRecord } from "../../record/record.ts"
import type { Judged } from "../decide/judge-work.ts"
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
  /** Every one of them (list-failed.ts), and the digest of the object that lists them; null: the record does. */
  failed: readonly FailedTarget[]
  failures: string | null
  /** What the guard found of the change. */
  judged: Judged
  /** How long deletions count together, in milliseconds. */
  window: number
  /** Whose settings these are; null: they give no version. */
  settings: SourceRecord["settings"]
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
    approved: base.approved && isAchieved(base.approved, achieved) ? null : base.approved,
    intents: intentsAfter(base.intents, desired.token),
    failed: [...achieved.failed],
    failedMore: 0,
    failures: achieved.failures,
    deletions: pastAfter(base.deletions, {
      ...achieved.judged,
      window: achieved.window,
      now: judgedNow(achieved),
    }),
    settings: achieved.settings ?? base.settings,
    foreign: listForeign(base.foreign, achieved),
    stopped: achieved.stopped,
    history: historyAfter(base, root),
  }
}

/** An approval is used up by its commit under its rules; one of an earlier version, which names no rules, by its commit. */
function isAchieved(
  { commit, rulesCommit, rules }: NonNullable<SourceRecord["approved"]>,
  { desired, rules: achieved }: Pick<Achieved, "desired" | "rules">,
): boolean {
  if (commit !== desired.commit) return false
  return rules === null || (rulesCommit === desired.rulesCommit && rules === achieved)
}

/** While the guard has stopped a source its window stands still, for commits of last good, too: waiting approves nothing. */
function judgedNow({ stopped, now }: Pick<Achieved, "stopped" | "now">): number {
  return stopped?.judged ? Math.min(now, Date.parse(stopped.judged.since)) : now
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
  // Without a store for a second time, no agent is left to catch up, and what the history names would stay for ever.
  if (root === null && base.root === null) return []
  const last = base.root !== null && commit !== null ? [{ commit, token, root: base.root }] : []
  return [...last, ...base.history].filter((revision) => revision.root !== root).slice(0, HISTORY)
}
