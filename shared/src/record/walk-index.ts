import { HeadraceError } from "../foundation/errors.ts"
import { type ShardEntry, type TargetEntry, targetPlace } from "./build-index.ts"
import { type FailuresIndex, type NodesIndex, StoreIndex } from "./store-index.ts"

/** Reads an index from the store, digest verified. Throws when it is not there. */
export type FetchIndex = (digest: string) => Promise<StoreIndex>

/** Every target below a root. */
export async function listTargets(root: string, fetch: FetchIndex): Promise<TargetEntry[]> {
  const index = await fetch(root)
  if (index.kind === "targets") return index.targets
  const children = branchOf(index, root, "targets")
  return (await Promise.all(children.map((child) => listTargets(child.index, fetch)))).flat()
}

/** One target below a root, reading only the pages on the way to it; undefined when it is not there. */
export async function findTarget(
  root: string,
  target: { namespace: string; name: string },
  fetch: FetchIndex,
): Promise<TargetEntry | undefined> {
  const index = await fetch(root)
  if (index.kind === "targets") {
    return index.targets.find((entry) => entry.namespace === target.namespace && entry.name === target.name)
  }
  const place = targetPlace(target)
  const child = branchOf(index, root, "targets").find(({ prefix }) => place.startsWith(prefix))
  return child && findTarget(child.index, target, fetch)
}

/** Every shard of a target, in prefix order, from the digest that its TargetEntry names. */
export async function listShards(files: string, fetch: FetchIndex): Promise<ShardEntry[]> {
  const index = await fetch(files)
  if (index.kind === "files") return index.shards
  const children = branchOf(index, files, "files")
  return (await Promise.all(children.map((child) => listShards(child.index, fetch)))).flat()
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

function branchOf(index: StoreIndex, digest: string, wanted: string) {
  if (index.kind === "branch") return index.children
  throw new HeadraceError(
    "store/wrong-index",
    `store object ${digest} is an index of ${index.kind}, where one of ${wanted} is needed`,
  )
}
