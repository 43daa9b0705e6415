import { FULL_ID } from "@headrace/shared/foundation/object-id"
import { LaneResult } from "@headrace/shared/lanes/lane-outcome"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import { readFields } from "@headrace/shared/lanes/read-fields"
import { deliveryKey } from "@headrace/shared/lanes/recent-deliveries"
import { z } from "zod"
import { arrivalTimes, pendingKey } from "./keep-deliveries.ts"
import type { OutcomeSeals } from "./outcome-seals.ts"
import { parseNote } from "./parse-note.ts"

/** What a delivery came to in one cluster. */
export const DeliveryOutcome = z.strictObject({
  /** `written`: the cluster's record reached the delivery's commit. Otherwise it still waits, and this is why. */
  state: z.enum(["written", "stopped", "failed"]),
  /** Milliseconds since the epoch. */
  at: z.int(),
  /** Targets that hold their last good content. */
  failed: LaneResult.shape.failed,
  error: LaneResult.shape.error,
})
export type DeliveryOutcome = z.infer<typeof DeliveryOutcome>

/** Finds which of these commits are `commit` or its ancestors. */
export type Contained = (commit: string, shas: readonly string[]) => Promise<ReadonlySet<string>>

/** Most that one outcome answers; the rest waits for the next. */
const BATCH = 5000
/** GitHub's has 36 characters. */
const MOST_GUID = 200

/**
 * Answers the deliveries of a source that wait for a lane, now that working it came to `result`: all whose
 * commit the record contains are written; the others get the reason why not, when it is new. Gives the GUIDs
 * of those to whom something was said.
 */
export async function answerDeliveries(
  lanes: Lanes,
  cluster: string,
  source: string,
  result: LaneResult,
  { contained, seals }: { contained: Contained; seals: OutcomeSeals },
): Promise<string[]> {
  const field = outcomeField(cluster, source)
  const waiting = await readWaiting(lanes, pendingKey(lanes, cluster, source), field)
  const known = waiting.filter((one) => one.sha !== undefined)
  const shas = [...new Set(known.map(({ sha }) => sha ?? ""))]
  const reached =
    result.commit === null || shas.length === 0 ? new Set<string>() : await contained(result.commit, shas)
  const written = known.filter(({ sha }) => reached.has(sha ?? ""))
  const notified = known.filter((one) => !reached.has(one.sha ?? "") && isNews(one, result))

  // All or nothing: a full Redis refuses the outcome, and would still let its delivery wait no more.
  const batch = lanes.redis.multi()
  const answers = [
    ...written.map(({ guid }) => ({ guid, text: outcomeText("written", result) })),
    ...notified.map(({ guid }) => ({ guid, text: outcomeText(stateOf(result) ?? "failed", result) })),
  ]
  for (const { guid, text } of answers) {
    const seal = await seals.seal([guid, cluster, source], text)
    batch.hset(deliveryKey(lanes, guid), { [field]: text, [sealField(cluster, source)]: seal })
  }
  const done = waiting.filter(({ sha }) => sha === undefined || reached.has(sha))
  if (done.length > 0) batch.zrem(pendingKey(lanes, cluster, source), ...done.map(({ guid }) => guid))
  if (done.length + notified.length > 0) await batch.exec()
  return [...written, ...notified].map(({ guid }) => guid)
}

/** Name of the field that holds a lane's outcome in a delivery's hash. */
export function outcomeField(cluster: string, source: string): string {
  return `outcome/${cluster}/${source}`
}

/** Name of the field with the seal of that outcome (outcome-seals.ts). */
export function sealField(cluster: string, source: string): string {
  return `seal/${cluster}/${source}`
}

/** An outcome as it was written into a delivery's hash; undefined: no version of ours wrote it so. */
export function readOutcome(text: string): DeliveryOutcome | undefined {
  return parseNote(DeliveryOutcome, text)
}

interface Waiting {
  guid: string
  /** Undefined: the entry has expired or was trimmed, or is none of ours. */
  sha: string | undefined
  before: DeliveryOutcome | undefined
}

/**
 * The newest first: what another program has put before them does not keep them waiting, and has to come from a time at
 * which a delivery can have arrived.
 */
async function readWaiting(lanes: Lanes, pending: string, field: string): Promise<Waiting[]> {
  const { first, last } = arrivalTimes(Date.now())
  const guids = await lanes.redis.zrevrangebyscore(pending, last, first, "LIMIT", 0, BATCH)
  const known = guids.filter((guid) => guid.length <= MOST_GUID)
  const keys = known.map((guid) => deliveryKey(lanes, guid))
  const rows = await readFields(lanes.redis, keys, ["sha", field])
  const values = new Map(known.map((guid, at) => [guid, rows[at] ?? []]))
  return guids.map((guid) => {
    const [sha, before] = values.get(guid) ?? []
    const isCommit = sha !== undefined && FULL_ID.test(sha)
    return { guid, sha: isCommit ? sha : undefined, before: before ? readOutcome(before) : undefined }
  })
}

/** What a result says to those it did not reach; nothing, when their commit may not have been fetched yet. */
function stateOf(result: LaneResult): "stopped" | "failed" | undefined {
  return result.result === "stopped" || result.result === "failed" ? result.result : undefined
}

function isNews({ before }: Waiting, result: LaneResult): boolean {
  const state = stateOf(result)
  if (state === undefined) return false
  return before?.state !== state || before.error?.message !== result.error?.message
}

function outcomeText(state: DeliveryOutcome["state"], result: LaneResult): string {
  const outcome: DeliveryOutcome = { state, at: Date.now(), failed: result.failed, error: result.error }
  return JSON.stringify(outcome)
}
