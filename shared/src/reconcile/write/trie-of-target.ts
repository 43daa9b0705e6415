import { editTrie, type ShardTrie } from "../../bundle/shard-trie.ts"
import type { StoreFile } from "../../bundle/store-file.ts"
import { compareSorted } from "../../foundation/sorted-list.ts"
import type { PlannedKey, PlannedTarget } from "../../plan/plan.ts"
import type { ReconcileMemory } from "../run/memory.ts"

/** How a target's files are shared out among shards: made from what it held before, or from nothing; the outcome is the same. */
export function trieOf(
  memory: Pick<ReconcileMemory, "tries">,
  { keys }: Pick<PlannedTarget, "keys">,
  was?: Pick<PlannedTarget, "keys">,
): ShardTrie {
  const known = memory.tries.get(keys)
  if (known) return known
  const before = was && memory.tries.get(was.keys)
  const differences = compareSorted(before && was ? was.keys : [], keys, ({ key }) => key, isSameFile)
  const removed = differences.flatMap((difference) => difference.before ?? [])
  const added = differences.flatMap((difference) => difference.after ?? [])
  const trie = editTrie(before, removed.map(storeFile), added.map(storeFile))
  memory.tries.set(keys, trie)
  return trie
}

function isSameFile(one: PlannedKey, other: PlannedKey): boolean {
  return (
    one.gzip === other.gzip &&
    one.file.path === other.file.path &&
    one.file.oid === other.file.oid &&
    one.file.size === other.file.size &&
    one.file.executable === other.file.executable
  )
}

function storeFile({ key, gzip, file: { path, oid, size, executable } }: PlannedKey): StoreFile {
  return { key, path, oid, size, executable, gzip }
}
