import { setTimeout as delay } from "node:timers/promises"
import type { Worker } from "bullmq"
import type { Log } from "../observe/log.ts"
import type { Lanes } from "./open-lanes.ts"

const LIMIT_MS = 5000

/**
 * Closes a BullMQ worker whose work has ended, whatever state its connections are in. While Redis is away it
 * closes by force: BullMQ would wait for the blocking connection to say "end", and ioredis never says that of
 * a connection that was asked to disconnect between two tries to connect. Redis may also go away in the
 * midst of it, so there is a limit: false when it ended us. What is left behind then is a connection that does
 * nothing any more.
 */
export async function closeWorker(
  worker: Pick<Worker, "close">,
  lanes: Pick<Lanes, "trouble">,
  log: Log,
): Promise<boolean> {
  const closed = worker.close(lanes.trouble() !== undefined).then(() => true)
  const stop = new AbortController()
  const late = delay(LIMIT_MS, false, { signal: stop.signal }).catch(() => false)
  const done = await Promise.race([closed, late])
  stop.abort()
  if (!done) log.warn({}, "a worker's connection could not be closed in time")
  return done
}
