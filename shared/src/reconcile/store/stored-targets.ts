import { mostShardBytes } from "../../bundle/store-config-map.ts"
import { PART_BYTES } from "../../bundle/store-file.ts"
import { joinParts, type ShardFile, unpackShard } from "../../bundle/unpack-shard.ts"
import { contentId, isBlank } from "../../foundation/content-id.ts"
import { HeadraceError, hasCode } from "../../foundation/errors.ts"
import type { GuardedKey } from "../../gates/guard/measure-change.ts"
import type { TargetEntry } from "../../record/build-index.ts"
import type { SourceRecord } from "../../record/record.ts"
import { listShards, listTargets } from "../../record/walk-index.ts"
import { DEFAULT_WRITER_BOUNDS } from "../../settings/bounds.ts"
import type { Run } from "../run/run.ts"
import { listRoots } from "./last-roots.ts"
import { indexReader, readStored } from "./read-store.ts"

/** The targets below a root; undefined when the store has lost it. Throws `kube/…`. */
export async function targetsBelow(
  { ports, memory, signal }: Pick<Run, "ports" | "memory" | "signal">,
  root: string,
): Promise<TargetEntry[] | undefined> {
  try {
    return await listTargets(root, indexReader(ports, memory, signal))
  } catch (error) {
    if (isLost(error)) return undefined
    throw error
  }
}

/**
 * The targets of the latest root of a source that the store still has, where no record names one: none where it has no
 * root. Undefined when the latest root cannot be read: an earlier one does not say what was in force. Throws `kube/…`.
 */
export async function lastTargets(run: Run, record: SourceRecord): Promise<TargetEntry[] | undefined> {
  for (const root of await listRoots(run, record)) {
    if (await listsFailures(run, root)) continue
    return targetsBelow(run, root)
  }
  return []
}

/** True for a list of failed targets, which is marked as roots are. */
async function listsFailures({ ports, memory, signal }: Run, digest: string): Promise<boolean> {
  try {
    return (await indexReader(ports, memory, signal)(digest)).kind === "failures"
  } catch (error) {
    if (isLost(error)) return false
    throw error
  }
}

/**
 * The keys of a target as the store holds them, contents named in the manner of `like`. Undefined when the store has
 * lost a part of it. Throws `kube/…`.
 */
export async function storedKeys(
  { ports, memory, signal }: Run,
  entry: Pick<TargetEntry, "index">,
  like: string,
): Promise<GuardedKey[] | undefined> {
  try {
    const shards = await listShards(entry.index, indexReader(ports, memory, signal))
    const keys: GuardedKey[] = []
    // One after the other: together they may be larger than memory.
    for (const entry of shards) {
      const most = mostShardBytes(entry)
      for (const file of unpackShard(await readStored(ports, "shard", entry.shard, signal, most))) {
        const oid = await contentIdOf(file)
        keys.push({ key: file.key, content: oid, empty: isBlank({ size: file.size, oid }) })
      }
    }
    return keys
  } catch (error) {
    if (isLost(error)) return undefined
    throw error
  }

  async function contentIdOf(file: ShardFile): Promise<string> {
    if (file.content) return contentId(file.content, like)
    const { file: most } = ports.settings.bounds ?? DEFAULT_WRITER_BOUNDS
    if (file.size > most) {
      ports.onBreach?.("file")
      const message = `${file.path} in the store has ${file.size} bytes, and bounds.file is ${most}`
      throw new HeadraceError("store/file-too-large", message)
    }
    const read = (digest: string) => readStored(ports, "shard", digest, signal, PART_BYTES)
    const join = async () => contentId(await joinParts(file, read), like)
    return ports.contents ? ports.contents.within(file.size, signal, join) : join()
  }
}

/** True for an object that is not there, or is not what its name says. */
function isLost(error: unknown): boolean {
  return hasCode(error, "store/") || hasCode(error, "bundle/")
}
