import { escapeText } from "../foundation/escape-text.ts"
import type { ApprovalWord } from "./approval-word.ts"
import type { SourceRecord } from "./record.ts"
import { orderText, rolloutEvents } from "./rollout-events.ts"
import { tokenText } from "./token.ts"

/** What a swap of the record means to a person who looks at the object: an Event of Kubernetes, without its place. */
export interface RecordEvent {
  type: "Normal" | "Warning"
  /** One word in camel case, such as `Published`. */
  reason: string
  /** One line; what a repository named in it is escaped. */
  message: string
}

const SHORT_ID = 12
/** As many failed targets, or writes of others, as one swap has an event for; the last one counts the rest. */
const MOST_NAMED = 3

/**
 * The events of a swap from one record to the next, none for intents and the like. `before` is undefined for the first
 * record of a source; `approval`: who approved what by this swap. Pure.
 */
export function eventsOfSwap(
  before: SourceRecord | undefined,
  after: SourceRecord,
  approval?: ApprovalWord,
): RecordEvent[] {
  return [
    ...holdEvents(before, after, approval),
    ...commitEvents(before, after),
    ...rolloutEvents(before, after, approval).map((event) => ({
      ...event,
      message: escapeText(event.message),
    })),
    ...stopEvents(before, after),
    ...failureEvents(before, after),
    ...foreignEvents(before, after),
  ]
}

function commitEvents(before: SourceRecord | undefined, after: SourceRecord): RecordEvent[] {
  const { commit, token, hold } = after
  if (commit === null || commit === before?.commit) return []
  const isRewound = hold?.commit === commit && before !== undefined && token.epoch > before.token.epoch
  const shown = `${shortId(commit)} at token ${tokenText(token)}`
  if (isRewound) return [normal("Rewound", `shows ${shown} again, as ${hold.by} ordered: ${hold.reason}`)]
  return [normal("Published", `shows ${shown}`)]
}

function holdEvents(
  before: SourceRecord | undefined,
  { hold, approved }: SourceRecord,
  approval: ApprovalWord | undefined,
): RecordEvent[] {
  const events: RecordEvent[] = []
  const was = before?.hold ?? null
  const isSame = hold?.commit === was?.commit && hold?.by === was?.by && hold?.until === was?.until
  if (hold !== null && !isSame) {
    const end = hold.until === null ? "until released" : `until ${hold.until}`
    events.push(normal("Held", `held at ${shortId(hold.commit)} by ${hold.by} ${end}: ${hold.reason}`))
  }
  if (hold === null && was !== null) events.push(normal("Released", "follows its branch again"))
  if (approved !== null && !sameApproval(approved, before?.approved ?? null)) {
    const said = approval?.commit === approved.commit ? `, ${orderText(approval)}` : ""
    events.push(
      normal("Approved", `${approvedText(approved)} of ${shortId(approved.commit)} are approved${said}`),
    )
  }
  return events
}

const APPROVED = { guard: "the deletions", gate: "what gates refuse", unverified: "missing signatures" }

function approvedText({ lifts = ["guard"] }: NonNullable<SourceRecord["approved"]>): string {
  return lifts.map((lift) => APPROVED[lift]).join(", ")
}

function sameApproval(one: NonNullable<SourceRecord["approved"]>, other: SourceRecord["approved"]): boolean {
  return one.commit === other?.commit && (one.lifts ?? ["guard"]).join() === (other.lifts ?? ["guard"]).join()
}

function stopEvents(before: SourceRecord | undefined, { stopped }: SourceRecord): RecordEvent[] {
  const was = before?.stopped ?? null
  if (stopped === null) return was === null ? [] : [normal("Returned", `no longer stopped (${was.code})`)]
  if (was !== null && was.code === stopped.code && was.commit === stopped.commit) return []
  const by = { "guard/": "StoppedByGuard", "gate/": "StoppedByGate" }[/^.*\//.exec(stopped.code)?.[0] ?? ""]
  const reason = by ?? "Stopped"
  const message = `stopped at ${shortId(stopped.commit)}, last good stays: ${stopped.message} [${stopped.code}]`
  return [warning(reason, message)]
}

function failureEvents(before: SourceRecord | undefined, after: SourceRecord): RecordEvent[] {
  const known = new Set(before?.failed.map(({ target }) => target))
  const fresh = after.failed.filter(({ target }) => !known.has(target))
  const count = (record: SourceRecord | undefined) => (record?.failed.length ?? 0) + (record?.failedMore ?? 0)
  if (count(after) === 0 && count(before) > 0) return [normal("Recovered", "every target is written again")]
  const texts = fresh.map(
    ({ target, reason }) => `ConfigMap ${target} keeps its last good content: ${reason}`,
  )
  const more = after.failedMore - (before?.failedMore ?? 0)
  return firstOf("TargetFailed", texts, Math.max(0, more))
}

function foreignEvents(before: SourceRecord | undefined, { foreign }: SourceRecord): RecordEvent[] {
  const known = new Set(before?.foreign.map(({ target, at }) => `${target} ${at}`))
  const fresh = foreign.filter(({ target, at }) => !known.has(`${target} ${at}`))
  const texts = fresh.map(({ target, writer }) => `${writer} changed ConfigMap ${target}; it is repaired`)
  return firstOf("ForeignWrite", texts, 0)
}

function firstOf(reason: string, texts: readonly string[], more: number): RecordEvent[] {
  const named = texts.slice(0, MOST_NAMED)
  const rest = texts.length - named.length + more
  return named.map((text, index) => {
    const isLast = index === named.length - 1
    return warning(reason, isLast && rest > 0 ? `${text} (and ${rest} more)` : text)
  })
}

function shortId(commit: string): string {
  return commit.slice(0, SHORT_ID)
}

function normal(reason: string, message: string): RecordEvent {
  return { type: "Normal", reason, message: escapeText(message) }
}

function warning(reason: string, message: string): RecordEvent {
  return { type: "Warning", reason, message: escapeText(message) }
}
