import pLimit from "p-limit"

/** Runs work when its turn has come. */
type Limit = <Result>(work: () => Promise<Result>) => Promise<Result>

/** How many projections publish at one time. */
export interface PublishLimits {
  /** For those with new content: what a consumer waits for. */
  published: Limit
  /** For those whose content stays and whose token moves on: nobody waits, so they yield. */
  tokenOnly: Limit
}

/** `onIdle` is called when a publish of new content has succeeded and no other is under way or waits. */
export function createPublishLimits(onIdle: () => void): PublishLimits {
  const limit = pLimit(4)
  // Counted here: p-limit counts one as active for a while after its result is known.
  let unfinished = 0
  return {
    tokenOnly: pLimit(1),
    async published(work) {
      unfinished += 1
      const result = await limit(work).finally(() => {
        unfinished -= 1
      })
      if (unfinished === 0) onIdle()
      return result
    },
  }
}
