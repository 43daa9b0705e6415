import type { Clock } from "../foundation/clock.ts"
import type { ConfigMap } from "../foundation/config-map.ts"
import { errorText, hasCode } from "../foundation/errors.ts"
import type { Log } from "../observe/log.ts"
import type { EventWriter, ObjectEvent } from "./event-api.ts"

/** Writes Events beside the work and never in its way: in order, a bounded number of them, and none that fails twice. */
export interface EventRecorder {
  record(about: ConfigMap, events: readonly ObjectEvent[]): void
  /** Resolves when all that was recorded is written or given up, or after 2 s. */
  settled(): Promise<void>
}

export interface EventRecorderPorts {
  kube: EventWriter
  clock: Clock
  log: Log
}

/** Of one object: so many at once, and one more every so often. Kubernetes keeps an Event for an hour. */
const BURST = 20
const REFILL_MS = 30_000
/** The same text again within this time says nothing new. */
const SAME_MS = 10 * 60_000
const WRITE_LIMIT_MS = 5000
/** A right that is missing is not asked for again before this. */
const FORBIDDEN_MS = 3_600_000
const SETTLE_MS = 2000

/** What is known of the events of one object. */
interface Budget {
  left: number
  /** Milliseconds since the epoch. */
  filledAt: number
  /** When each text was written last. */
  written: Map<string, number>
  /** How many were left out since the last one that was written. */
  leftOut: number
}

export function createEventRecorder({ kube, clock, log }: EventRecorderPorts): EventRecorder {
  const budgets = new Map<string, Budget>()
  let forbiddenUntil = 0
  let tail: Promise<void> = Promise.resolve()

  async function write(about: ConfigMap, event: ObjectEvent, at: number): Promise<void> {
    try {
      await kube.createEvent(about, event, at, AbortSignal.timeout(WRITE_LIMIT_MS))
    } catch (error) {
      const { namespace, name } = about.metadata
      const fields = { record: `${namespace}/${name}`, reason: event.reason, err: errorText(error) }
      if (!hasCode(error, "kube/forbidden")) return log.debug(fields, "event not written")
      forbiddenUntil = clock.now() + FORBIDDEN_MS
      log.warn(fields, "no right to write events: see config/base/writer")
    }
  }

  return {
    record(about, events) {
      const now = clock.now()
      const { uid = "", namespace, name } = about.metadata
      const key = `${namespace}/${name} ${uid}`
      const budget = refilled(budgets.get(key), now)
      budgets.set(key, budget)
      for (const event of events) {
        if (now < forbiddenUntil) return
        const admitted = admit(budget, event, now)
        if (admitted) tail = tail.then(() => write(about, admitted, now))
      }
    },
    async settled() {
      const limit = new AbortController()
      await Promise.race([tail, clock.sleep(SETTLE_MS, limit.signal).catch(() => undefined)])
      limit.abort()
    },
  }
}

function refilled(budget: Budget | undefined, now: number): Budget {
  if (budget === undefined) return { left: BURST, filledAt: now, written: new Map(), leftOut: 0 }
  const more = Math.floor((now - budget.filledAt) / REFILL_MS)
  for (const [text, at] of budget.written) if (now - at >= SAME_MS) budget.written.delete(text)
  if (more <= 0) return budget
  return {
    ...budget,
    left: Math.min(BURST, budget.left + more),
    filledAt: budget.filledAt + more * REFILL_MS,
  }
}

/** The event to write, with the number of those that were left out before it; undefined: it is one of them, or known. */
function admit(budget: Budget, event: ObjectEvent, now: number): ObjectEvent | undefined {
  const text = `${event.reason} ${event.message}`
  if (budget.written.has(text)) return undefined
  if (budget.left === 0) {
    budget.leftOut += 1
    return undefined
  }
  const { leftOut } = budget
  budget.left -= 1
  budget.leftOut = 0
  budget.written.set(text, now)
  return leftOut === 0
    ? event
    : { ...event, message: `${event.message} (${leftOut} events before it left out)` }
}
