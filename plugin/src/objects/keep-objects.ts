import { shareUnderWay } from "@headrace/shared/foundation/share-under-way"
import { createWeightedCache } from "@headrace/shared/foundation/weighted-cache"
import pLimit from "p-limit"
import type { ReadObject } from "./read-object.ts"

/** Objects that are read at one time, whatever the number of readers. */
const CONCURRENT_READS = 8
const READ_WITHIN_MS = 20_000

/**
 * Keeps up to `memory` bytes of objects, and reads one once for all that ask for it meanwhile. No reader's departure ends
 * a read that others wait for: each has a time limit of its own.
 */
export function keepObjects(
  read: ReadObject,
  memory: number,
): (digest: string) => Promise<Buffer | undefined> {
  const kept = createWeightedCache<Buffer>(memory, (content) => content.length)
  const once = shareUnderWay()
  const limit = pLimit(CONCURRENT_READS)

  async function fetch(digest: string): Promise<Buffer | undefined> {
    const content = await limit(() => read(digest, AbortSignal.timeout(READ_WITHIN_MS)))
    if (content) kept.set(digest, content)
    return content
  }

  return async (digest) => kept.get(digest) ?? once(digest, () => fetch(digest))
}
