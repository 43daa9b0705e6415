import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type ShardLayout, splitIntoShards } from "./shard-trie.ts"
import { SHARD_BYTES, type StoreFile } from "./store-file.ts"

function storeFile(path: string, size: number, oid = `of ${path}`): StoreFile {
  return { key: path.replaceAll("/", "-"), path, oid, size, executable: false, gzip: false }
}
const files = fc
  .uniqueArray(fc.record({ id: fc.nat(100_000), size: fc.nat(SHARD_BYTES) }), {
    selector: ({ id }) => id,
    minLength: 1,
    maxLength: 60,
  })
  .map((list) => list.map(({ id, size }) => storeFile(`dir/${id}.yaml`, size)))
const byPrefix = (layouts: readonly ShardLayout[]) =>
  new Map(layouts.map((layout) => [layout.prefix, layout.fingerprint]))

describe("splitIntoShards", () => {
  it("depends on the set of files alone, holds each once, and keeps leaves within bounds", () => {
    fc.assert(
      fc.property(files, fc.infiniteStream(fc.nat()), (list, order) => {
        const layouts = splitIntoShards(list)
        const shuffled = list
          .map((file) => ({ file, at: order.next().value ?? 0 }))
          .sort((a, b) => a.at - b.at)

        expect(splitIntoShards(shuffled.map(({ file }) => file))).toEqual(layouts)
        expect(layouts.flatMap((layout) => layout.files.map((file) => file.path)).sort()).toEqual(
          list.map((file) => file.path).sort(),
        )
        for (const { files: held } of layouts) {
          expect(held.length === 1 || held.reduce((sum, file) => sum + file.size, 0) <= SHARD_BYTES).toBe(
            true,
          )
        }
      }),
    )
  })

  it("changes exactly one leaf when one file's content changes", () => {
    fc.assert(
      fc.property(files, fc.nat(), (list, at) => {
        const changed = list.map((file, index) =>
          index === at % list.length ? { ...file, oid: "other" } : file,
        )
        const before = byPrefix(splitIntoShards(list))
        const after = byPrefix(splitIntoShards(changed))

        expect([...after.keys()]).toEqual([...before.keys()])
        expect([...after].filter(([prefix, fingerprint]) => before.get(prefix) !== fingerprint)).toHaveLength(
          1,
        )
      }),
    )
  })

  it("splits at most one leaf when a file is added", () => {
    fc.assert(
      fc.property(files, fc.nat(SHARD_BYTES), (list, size) => {
        const before = byPrefix(splitIntoShards(list))
        const after = byPrefix(splitIntoShards([...list, storeFile("added", size)]))
        const gone = [...before]
          .filter(([prefix, fingerprint]) => after.get(prefix) !== fingerprint)
          .map(([prefix]) => prefix)
        const fresh = [...after]
          .filter(([prefix, fingerprint]) => before.get(prefix) !== fingerprint)
          .map(([prefix]) => prefix)

        expect(gone.length).toBeLessThanOrEqual(1)
        for (const prefix of fresh) expect(gone.length === 0 || prefix.startsWith(gone[0] ?? "")).toBe(true)
      }),
    )
  })

  it("has a fingerprint that covers key, path, content, mode and gzip, and no leaf for no file", () => {
    const base = storeFile("a", 1)
    const variants: StoreFile[] = [
      base,
      { ...base, key: "b" },
      { ...base, oid: "b" },
      { ...base, executable: true },
      { ...base, gzip: true },
    ]
    expect(new Set(variants.map((file) => splitIntoShards([file])[0]?.fingerprint)).size).toBe(
      variants.length,
    )
    expect(splitIntoShards([])).toEqual([])
  })
})
