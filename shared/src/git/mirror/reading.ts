import { HeadraceError } from "../../foundation/errors.ts"
import { ObjectReader } from "../objects/object-reader.ts"
import { TreeCache } from "../tree/tree-cache.ts"
import { CommitCounts } from "./commit-counts.ts"

/** What is known of the repository at `place`, and the processes that read it; gone when it is replaced. */
export interface Reading {
  contents: ObjectReader
  sizes: ObjectReader
  trees: TreeCache
  counts: CommitCounts
}

/** Starts no process yet: each starts at the first read. */
export function openReading(place: string): Reading {
  const contents = new ObjectReader(place, "contents")
  const sizes = new ObjectReader(place, "sizes")
  const reading = { contents, sizes, counts: new CommitCounts(place) }
  const trees = new TreeCache(place, {
    contents: (oids) => readContents(reading, oids),
    sizes: async (oids) => {
      const found = await sizes.read(oids)
      return found.map((object, index) => (object ?? missingBlob(oids, index)).size)
    },
  })
  return { ...reading, trees }
}

/** Ends the processes; reads under way fail with `git/closed`. */
export function closeReading(reading: Reading): void {
  reading.contents.close()
  reading.sizes.close()
}

/** Contents by blob id, in order. Throws `git/missing-object`, `git/bad-id`. */
export async function readContents(
  reading: { contents: ObjectReader },
  oids: readonly string[],
  signal?: AbortSignal,
): Promise<Buffer[]> {
  for (const oid of oids) checkId(oid)
  const found = await reading.contents.read(oids, signal)
  return found.map((object, index) => {
    if (object?.type !== "blob") return missingBlob(oids, index)
    return object.content
  })
}

function missingBlob(oids: readonly string[], index: number): never {
  throw missing("blob", oids[index] ?? "")
}

/** The error for an object that the mirror does not have. */
export function missing(kind: string, name: string): HeadraceError {
  return new HeadraceError("git/missing-object", `the mirror has no ${kind} ${name}`, {
    hint: "It was never on the followed branch, or was force-pushed away and has been dropped.",
  })
}

/** Lets only full ids through to git: never an option, a ref or an abbreviation. Throws `git/bad-id`. */
export function checkId(id: string): void {
  if (/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(id)) return
  throw new HeadraceError("git/bad-id", `${JSON.stringify(id)} is not a full object id`)
}
