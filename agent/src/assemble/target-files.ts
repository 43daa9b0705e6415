import type { ShardEntry } from "@headrace/shared/record/build-index"
import { listShards } from "@headrace/shared/record/walk-index"
import type { StoredFile } from "./listed-file.ts"
import type { StoreReader } from "./store-reader.ts"

/** All files of a target, shard by shard, from the digest of its index. Errors as StoreReader's. */
export async function readTargetFiles(
  store: Pick<StoreReader, "index" | "listing">,
  index: string,
): Promise<StoredFile[]> {
  const shards = await listShards(index, store.index)
  return (await Promise.all(shards.map((entry) => shardFiles(store, entry)))).flat()
}

async function shardFiles(store: Pick<StoreReader, "listing">, entry: ShardEntry): Promise<StoredFile[]> {
  const listing = await store.listing(entry.shard)
  return listing.map((file) => ({ ...file, shard: entry.shard }))
}
