import { HeadraceError } from "../foundation/errors.ts"
import { type ShardEntry, type TargetEntry, targetPlace } from "./build-index.ts"
import { type FailuresIndex, type NodesIndex, StoreIndex } from "./store-index.ts"

/** Reads an index from the store, digest verified. Throws when it is not there. */
export type FetchIndex = (digest: string) => Promise<StoreIndex>

/** Every target below a root. Throws `store/wrong-index`. */
export async function listTargets(root: string, fetch: FetchIndex, prefix = ""): Promise<TargetEntry[]> {
  const index = await fetch(root)
  if (index.kind === "targets") {
    if (!index.targets.every((entry) => targetPlace(entry).startsWith(prefix))) throw misplaced(root)
    return index.targets
  }
  const children = branchOf(index, root, "targets", prefix)
  return (await Promise.all(children.map((child) => listTargets(child.index, fetch, child.prefix)))).flat()
}

/** One target below a root, reading only the pages on the way to it; undefined when it is not there. */
export async function findTarget(
  root: string,
  target: { namespace: string; name: string },
  fetch: FetchIndex,
  prefix = "",
): Promise<TargetEntry | undefined> {
  const index = await fetch(root)
  if (index.kind === "targets") {
    return index.targets.find((entry) => entry.namespace === target.namespace && entry.name === target.name)
  }
  const place = targetPlace(target)
  const child = branchOf(index, root, "targets", prefix).find((one) => place.startsWith(one.prefix))
  return child && findTarget(child.index, target, fetch, child.prefix)
}

/** Every shard of a target, in prefix order, from the digest that its TargetEntry names. Throws `store/wrong-index`. */
export async function listShards(files: string, fetch: FetchIndex, prefix = ""): Promise<ShardEntry[]> {
  const index = await fetch(files)
  if (index.kind === "files") {
    if (!index.shards.every((entry) => entry.prefix.startsWith(prefix))) throw misplaced(files)
    return index.shards
  }
  const children = branchOf(index, files, "files", prefix)
  return (await Promise.all(children.map((child) => listShards(child.index, fetch, child.prefix)))).flat()
}

/** Digests of everything that a root names, itself included: what garbage collection must leave alone. */
export async function listReachable(root: string, fetch: FetchIndex): Promise<Set<string>> {
  const reachable = new Set<string>()
  async function visit(digest: string): Promise<void> {
    if (reachable.has(digest)) return
    reachable.add(digest)
    const index = await fetch(digest)
    if (index.kind === "files") {
      for (const shard of index.shards) for (const name of [shard.shard, ...shard.parts]) reachable.add(name)
      return
    }
    const below = indexesBelow(index)
    await Promise.all(below.map((entry) => visit(entry.index)))
  }
  await visit(root)
  return reachable
}

function indexesBelow(index: Exclude<StoreIndex, { kind: "files" }>): { index: string }[] {
  if (index.kind === "branch") return index.children
  if (index.kind === "nodes") return []
  return index.kind === "targets" ? index.targets : index.failed.flatMap(({ held }) => held ?? [])
}

/** The failed targets that a record names by digest. Throws `store/wrong-index`. */
export async function listFailures(failures: string, fetch: FetchIndex): Promise<FailuresIndex["failed"]> {
  const index = await fetch(failures)
  if (index.kind === "failures") return index.failed
  throw new HeadraceError("store/wrong-index", `store object ${failures} lists no failed targets`)
}

/** The nodes that a stage rests on, which a candidate names by digest. Throws `store/wrong-index`. @public */
export async function listNodes(nodes: string, fetch: FetchIndex): Promise<NodesIndex> {
  const index = await fetch(nodes)
  if (index.kind === "nodes") return index
  throw new HeadraceError("store/wrong-index", `store object ${nodes} lists no nodes`)
}

/** Parses an index's payload; `digest` names it in the error (`store/invalid-index`). */
export function parseIndex(payload: Buffer, digest: string): StoreIndex {
  try {
    return StoreIndex.parse(JSON.parse(payload.toString("utf8")))
  } catch (cause) {
    throw new HeadraceError("store/invalid-index", `store object ${digest} is not an index`, { cause })
  }
}

/**
 * The children of a page at `prefix`: each one digit further, each digit once. So every page is at one place alone, and
 * what a walk visits is no more than what was written: without that, a few pages that name each other's children over
 * and over would stand for millions.
 */
function branchOf(index: StoreIndex, digest: string, wanted: string, prefix: string) {
  if (index.kind === "branch") {
    const places = new Set(index.children.map((child) => child.prefix))
    const isNext = (place: string) => place.startsWith(prefix) && place.length === prefix.length + 1
    if (places.size !== index.children.length || ![...places].every(isNext)) throw misplaced(digest)
    return index.children
  }
  throw new HeadraceError(
    "store/wrong-index",
    `store object ${digest} is an index of ${index.kind}, where one of ${wanted} is needed`,
  )
}

function misplaced(digest: string): HeadraceError {
  return new HeadraceError("store/wrong-index", `store object ${digest} has entries of another place`, {
    hint: "Run a full reconcile, which writes it again.",
  })
}
