import { systemClock } from "@headrace/shared/foundation/clock"
import pLimit, { type LimitFunction } from "p-limit"

/** Waits for `work` without taking up room that others could use. */
type Aside = <Result>(work: () => Promise<Result>) => Promise<Result>

/** Runs work when its turn has come. The work gets `aside`, for what it waits for elsewhere: a hook of the operator's. */
type Limit = <Result>(work: (aside: Aside) => Promise<Result>, signal?: AbortSignal) => Promise<Result>

/** How many projections publish at one time. */
export interface PublishLimits {
  /** For those with new content: what a consumer waits for. */
  published: Limit
  /** For those whose content stays and whose token moves on: nobody waits, so they yield. Rejects when the signal aborts meanwhile. */
  tokenOnly: Limit
}

/** So long those whose content stays let the others go first, which still have to read theirs. */
const YIELD_MS = 20

/** `onIdle` is called when a publish of new content has succeeded and no other is under way or waits. */
export function createPublishLimits(onIdle: () => void): PublishLimits {
  const published = withAside(pLimit(4))
  // Counted here: p-limit counts one as active for a while after its result is known.
  let unfinished = 0
  const tokenOnly = withAside(pLimit(1))
  return {
    async tokenOnly(work, signal) {
      await systemClock.sleep(YIELD_MS, signal)
      return tokenOnly(work)
    },
    async published(work) {
      unfinished += 1
      const result = await published(work).finally(() => {
        unfinished -= 1
      })
      if (unfinished === 0) onIdle()
      return result
    },
  }
}

/** Work gives its turn back while it is aside, and waits for another one afterwards. */
function withAside(limit: LimitFunction): Limit {
  return async (work) => {
    let giveBack = await turn(limit)
    try {
      return await work(async (elsewhere) => {
        giveBack()
        try {
          return await elsewhere()
        } finally {
          giveBack = await turn(limit)
        }
      })
    } finally {
      giveBack()
    }
  }
}

/** Resolves when a turn has come, with what ends it. */
function turn(limit: LimitFunction): Promise<() => void> {
  return new Promise((begun) => {
    void limit(() => new Promise<void>((end) => begun(end)))
  })
}
