import type { Intent, SourceRecord, Token } from "./record.ts"
import { compareTokens } from "./token.ts"

/**
 * The record with this intent open. It takes in the targets of every intent that its token overtakes, so one
 * is enough: the workers that opened those have been superseded, and what they may have half written stays listed.
 */
export function openIntent(record: SourceRecord, intent: Intent): SourceRecord {
  const overtaken = record.intents.filter((open) => compareTokens(open.token, intent.token) <= 0)
  const targets = overtaken.map((open) => open.targets).reduce(joinTargets, intent.targets)
  return { ...record, intents: [{ ...intent, targets }, ...intentsAfter(record.intents, intent.token)] }
}

/** The intents that a commit at `token` leaves open: those of larger tokens. */
export function intentsAfter(intents: readonly Intent[], token: Token): Intent[] {
  return intents.filter((intent) => compareTokens(intent.token, token) > 0)
}

/** True when an open intent is of exactly this work under these rules and settings, whichever worker opened it. */
export function isBegun(record: SourceRecord, work: Omit<Intent, "targets">): boolean {
  return record.intents.some((open) => isSameRevision(open, work) && open.rules === work.rules)
}

/** True when an open intent is of this revision, under whatever settings. */
export function isOpen(record: SourceRecord, revision: Omit<Intent, "targets" | "rules">): boolean {
  return record.intents.some((open) => isSameRevision(open, revision))
}

/** True when an open intent has exactly this token: targets may be half written at it. */
export function hasIntentAt({ intents }: Pick<SourceRecord, "intents">, token: Token): boolean {
  return intents.some((open) => compareTokens(open.token, token) === 0)
}

/** `namespace/name` of all targets that may be half written, or "all". */
export function unfinishedTargets(record: SourceRecord): "all" | ReadonlySet<string> {
  const targets = new Set<string>()
  for (const intent of record.intents) {
    if (intent.targets === "all") return "all"
    for (const target of intent.targets) targets.add(target)
  }
  return targets
}

/** The smallest epoch a writer may use: an operator raises it by an intent, before anything is written. */
export function epochInForce(record: SourceRecord): number {
  return Math.max(...tokensOf(record).map(({ epoch }) => epoch))
}

/** The largest token that anything of this record's targets may carry. */
export function largestToken(record: SourceRecord): Token {
  return tokensOf(record).reduce((a, b) => (compareTokens(a, b) >= 0 ? a : b))
}

/** The largest token of what is in force or begun: a candidate overtakes no writer of the baseline. */
export function largestBegun({ token, intents }: SourceRecord): Token {
  return [token, ...intents.map((intent) => intent.token)].reduce((a, b) =>
    compareTokens(a, b) >= 0 ? a : b,
  )
}

/** Of what is in force, being tried, begun, and of what was in force before a promotion. */
function tokensOf({ token, intents, candidate, previous }: SourceRecord): Token[] {
  return [token, ...[...intents, candidate, previous].flatMap((each) => each?.token ?? [])]
}

function isSameRevision(a: Intent, b: Omit<Intent, "targets" | "rules">): boolean {
  return compareTokens(a.token, b.token) === 0 && a.commit === b.commit && a.rulesCommit === b.rulesCommit
}

function joinTargets(a: Intent["targets"], b: Intent["targets"]): Intent["targets"] {
  if (a === "all" || b === "all") return "all"
  return [...new Set([...a, ...b])].sort()
}
