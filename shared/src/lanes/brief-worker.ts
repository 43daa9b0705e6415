import { Worker } from "bullmq"

/** Seconds that a worker's blocking read of Redis takes at most. */
export const BLOCK_SECONDS = 2

/**
 * A BullMQ worker that asks again every two seconds, where BullMQ's own waits up to ten for a delayed job: then a
 * connection that has been silent for a little longer is known to be dead (connect-redis.ts).
 */
export class BriefWorker<Data> extends Worker<Data> {
  override get maximumBlockTimeout(): number {
    return BLOCK_SECONDS
  }
}
