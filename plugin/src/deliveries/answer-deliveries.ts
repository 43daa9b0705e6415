import type { LaneResult } from "@headrace/shared/lanes/lane-outcome"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import { deliveryKey, pendingKey } from "./keep-deliveries.ts"

/** What a delivery came to in one cluster. */
export interface DeliveryOutcome {
  /** `written`: the cluster's record reached the delivery's commit. Else it still waits, and this is why. */
  state: "written" | "stopped" | "failed"
  /** Milliseconds since the epoch. */
  at: number
  /** Targets that hold their last good content, when it was written. */
  failed: LaneResult["failed"]
  error: LaneResult["error"]
}

/** Tells which of these commits are `commit` or its ancestors. */
export type Contained = (commit: string, shas: readonly string[]) => Promise<ReadonlySet<string>>

/** Most that one outcome answers; the rest waits for the next. */
const BATCH = 5000

/**
 * Answers the deliveries of a source that wait for a lane, now that working it came to `result`: all whose
 * commit the record contains are written. Gives the GUIDs of those.
 */
export async function answerDeliveries(
  lanes: Lanes,
  cluster: string,
  source: string,
  result: LaneResult,
  contained: Contained,
): Promise<string[]> {
  const waiting = await readWaiting(lanes, cluster, source)
  if (waiting.length === 0) return []
  const shas = [...new Set(waiting.flatMap(({ sha }) => (sha === null ? [] : [sha])))]
  const reached = result.commit === null ? new Set<string>() : await contained(result.commit, shas)

  const field = outcomeField(cluster, source)
  const gone = waiting.filter(({ sha }) => sha === null).map(({ guid }) => guid)
  const written = waiting.filter(({ sha }) => sha !== null && reached.has(sha)).map(({ guid }) => guid)
  const batch = lanes.redis.pipeline()
  for (const guid of written) batch.hset(deliveryKey(lanes, guid), field, outcomeText("written", result))
  const done = [...gone, ...written]
  if (done.length > 0) batch.zrem(pendingKey(lanes, cluster, source), ...done)
  for (const guid of stillWaiting(waiting, reached, result)) {
    batch.hset(
      deliveryKey(lanes, guid),
      field,
      outcomeText(result.result === "failed" ? "failed" : "stopped", result),
    )
  }
  await batch.exec()
  return written
}

/** Name of the field that holds a lane's outcome in a delivery's hash. */
export function outcomeField(cluster: string, source: string): string {
  return `outcome/${cluster}/${source}`
}

interface Waiting {
  guid: string
  /** Null: the entry has expired or was trimmed. */
  sha: string | null
}

async function readWaiting(lanes: Lanes, cluster: string, source: string): Promise<Waiting[]> {
  const guids = await lanes.redis.zrange(pendingKey(lanes, cluster, source), 0, String(BATCH - 1))
  if (guids.length === 0) return []
  const batch = lanes.redis.pipeline()
  for (const guid of guids) batch.hget(deliveryKey(lanes, guid), "sha")
  const replies = (await batch.exec()) ?? []
  return guids.map((guid, position) => {
    const [error, sha] = replies[position] ?? []
    if (error) throw error
    return { guid, sha: typeof sha === "string" ? sha : null }
  })
}

/** Those to whom a result that reached nothing is news: a noop says nothing about a commit not yet fetched. */
function stillWaiting(waiting: Waiting[], reached: ReadonlySet<string>, result: LaneResult): string[] {
  if (result.result !== "failed" && result.result !== "stopped") return []
  return waiting.filter(({ sha }) => sha !== null && !reached.has(sha)).map(({ guid }) => guid)
}

function outcomeText(state: DeliveryOutcome["state"], result: LaneResult): string {
  const outcome: DeliveryOutcome = { state, at: Date.now(), failed: result.failed, error: result.error }
  return JSON.stringify(outcome)
}
