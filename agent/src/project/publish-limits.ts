import pLimit, { type LimitFunction } from "p-limit"

/** How many projections publish at one time. */
export interface PublishLimits {
  /** For those with new content: what a consumer waits for. */
  published: LimitFunction
  /** For those whose content stays and whose token moves on: nobody waits, so they stand back. */
  noted: LimitFunction
}

/** True when nobody with new content publishes or is about to. */
export function isIdle({ published }: PublishLimits): boolean {
  return published.activeCount + published.pendingCount === 0
}

export function createPublishLimits(): PublishLimits {
  return { published: pLimit(4), noted: pLimit(1) }
}
