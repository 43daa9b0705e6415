import type { KnownObject } from "./known-objects.ts"
import type { StoreReader } from "./store-reader.ts"

/** The same store, and the indexes and listings that were asked of it through this one. */
export interface WatchedStore {
  store: StoreReader
  /** By `index-DIGEST` or `shard-DIGEST`. */
  used: ReadonlyMap<string, KnownObject>
}

export function watchUse(store: StoreReader): WatchedStore {
  const used = new Map<string, KnownObject>()
  return {
    used,
    store: {
      ...store,
      async index(digest) {
        const index = await store.index(digest)
        used.set(`index-${digest}`, index)
        return index
      },
      async listing(shard) {
        const files = await store.listing(shard)
        used.set(`shard-${shard}`, files)
        return files
      },
    },
  }
}

/** Gives a store what an earlier run wrote down. */
export function learnObjects(store: StoreReader, known: ReadonlyMap<string, KnownObject>): void {
  for (const [name, object] of known) {
    const digest = name.slice(name.indexOf("-") + 1)
    if ("kind" in object) store.learnIndex(digest, object)
    else store.learnListing(digest, object)
  }
}
