import type { Clock } from "../../foundation/clock.ts"
import { largestToken } from "../../record/intents.ts"
import type { SourceRecord, Token } from "../../record/record.ts"
import { compareTokens } from "../../record/token.ts"
import type { KnownToken, ReconcileMemory } from "../run/memory.ts"

/** How far ahead of now another writer's clock may be: epochs are of the clock that began a record. */
export const MOST_AHEAD_MS = 24 * 3_600_000

/**
 * The largest epoch that is believed without a record that knows it: a day ahead of now. Now is what our clock shows, or
 * when the API server made the record, where our clock is behind that. Milliseconds since 1970.
 */
export function largestBelieved({ clock, recordMadeAt = 0 }: BeliefClock): number {
  return Math.max(clock.now(), recordMadeAt) + MOST_AHEAD_MS
}

export interface BeliefClock {
  clock: Pick<Clock, "now">
  recordMadeAt?: number
}

/**
 * Notes a token that was in force in a cluster. A smaller one than is known changes nothing, unless it is another record's, and
 * what is known is not believed of any but the record that it is of: that one is lost.
 */
export function noteToken(
  memory: Pick<ReconcileMemory, "known">,
  cluster: string,
  seen: KnownToken,
  time: BeliefClock,
): void {
  const known = memory.known.get(cluster)
  if (known === undefined || isOutlasted(known, seen, time) || compareTokens(seen.token, known.token) > 0)
    memory.known.set(cluster, seen)
}

function isOutlasted(known: KnownToken, seen: KnownToken, time: BeliefClock): boolean {
  return seen.uid !== undefined && seen.uid !== known.uid && known.token.epoch > largestBelieved(time)
}

/**
 * The token that was in force in a cluster and lies beyond all that its record knows: then an earlier record was put
 * back, from a backup. Undefined: there is none. Tokens of one record only grow. Another record's token, and a node's,
 * count only up to what is believed (largestBelieved): a clock that was ahead when a record was made does not outlast that
 * record.
 */
export function tokenBeyond(
  memory: Pick<ReconcileMemory, "known">,
  cluster: string,
  { record, uid }: { record: SourceRecord; uid: string | undefined },
  time: BeliefClock,
): Token | undefined {
  const known = memory.known.get(cluster)
  if (known === undefined || compareTokens(known.token, largestToken(record)) <= 0) return undefined
  const isSame = known.uid !== undefined && known.uid === uid
  return isSame || known.token.epoch <= largestBelieved(time) ? known.token : undefined
}
