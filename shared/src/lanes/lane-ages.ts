import { successesKey, successTime } from "./lane-outcomes.ts"
import type { Lanes } from "./open-lanes.ts"
import { readFields } from "./read-fields.ts"

/** When a lane last brought a source to its goal; undefined: never, as far as Redis knows. */
export interface LaneAge {
  cluster: string
  source: string
  /** Milliseconds since the epoch. */
  lastSuccess: number | undefined
}

/** An hourly run, and some. */
const OLDEST_SUCCESS_MS = 65 * 60_000

/** True when the last success is older than an hourly run allows, or there was none. */
export function isLate({ lastSuccess }: Pick<LaneAge, "lastSuccess">, now: number): boolean {
  return lastSuccess === undefined || now - lastSuccess > OLDEST_SUCCESS_MS
}

/** The age of every lane's last success, by whichever worker. */
export async function readLaneAges(
  lanes: Lanes,
  clusters: readonly string[],
  sources: readonly string[],
): Promise<LaneAge[]> {
  const keys = clusters.map((cluster) => successesKey(lanes, cluster))
  const rows = await readFields(lanes.redis, keys, sources)
  return clusters.flatMap((cluster, row) =>
    sources.map((source, field) => ({ cluster, source, lastSuccess: successTime(rows[row]?.[field]) })),
  )
}
