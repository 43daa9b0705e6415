import fc from "fast-check"
import { expect, it } from "vitest"
import { sha256 } from "../foundation/digest.ts"
import {
  type BuiltIndex,
  buildFilesIndex,
  buildTargetsIndex,
  type ShardEntry,
  type TargetEntry,
} from "./build-index.ts"
import { findTarget, listReachable, listShards, listTargets, parseIndex } from "./walk-index.ts"

function target(number: number, content = "x"): TargetEntry {
  return { namespace: `ns-${number % 7}`, name: `map-${number}`, index: sha256(content), files: 1, bytes: 2 }
}

function targets(count: number): TargetEntry[] {
  return Array.from({ length: count }, (_, number) => target(number))
}

function reader(...built: BuiltIndex[]) {
  const read: string[] = []
  const objects = new Map(
    built.flatMap((index) => index.objects.map((object) => [object.digest, object.payload])),
  )
  async function fetch(digest: string) {
    read.push(digest)
    return parseIndex(objects.get(digest) ?? Buffer.from("none"), digest)
  }
  return { fetch, read }
}

it("gives every target back, whatever their number and order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.nat(5000), { maxLength: 2000 }), async (numbers) => {
      const entries = numbers.map((number) => target(number))
      const built = buildTargetsIndex(entries)
      const { fetch } = reader(built)
      const found = await listTargets(built.root, fetch)
      expect(found.map((entry) => entry.name).sort()).toEqual(entries.map((entry) => entry.name).sort())
      expect(buildTargetsIndex([...entries].reverse()).root).toBe(built.root)
    }),
    { numRuns: 20 },
  )
})

it("keeps every object small and finds one target by reading only the way to it", async () => {
  const built = buildTargetsIndex(targets(5000))
  expect(built.objects.length).toBeGreaterThan(5)
  for (const object of built.objects) expect(object.payload.length).toBeLessThanOrEqual(64 * 1024)
  const { fetch, read } = reader(built)
  expect(await findTarget(built.root, { namespace: "ns-3", name: "map-4000" }, fetch)).toEqual(target(4000))
  expect(await findTarget(built.root, { namespace: "ns-3", name: "absent" }, fetch)).toBeUndefined()
  expect(read.length).toBeLessThanOrEqual(6)
})

it("rewrites only the path of what changed", () => {
  const before = new Set(buildTargetsIndex(targets(5000)).objects.map((object) => object.digest))
  const changed = targets(5000).map((entry, number) => (number === 4000 ? target(4000, "new") : entry))
  const fresh = buildTargetsIndex(changed).objects.filter((object) => !before.has(object.digest))
  expect(fresh.length).toBeGreaterThanOrEqual(2)
  expect(fresh.length).toBeLessThanOrEqual(3)
})

it("names everything below a root, shards and parts too", async () => {
  const shards: ShardEntry[] = Array.from({ length: 4096 }, (_, number) => ({
    prefix: number.toString(16).padStart(3, "0"),
    shard: sha256(`shard ${number}`),
    files: 3,
    bytes: 9,
    parts: number === 7 ? [sha256("part")] : [],
  }))
  const files = buildFilesIndex(shards)
  const root = buildTargetsIndex([{ ...target(1), index: files.root }])
  const { fetch } = reader(files, root)
  expect(await listShards(files.root, fetch)).toEqual(shards)
  const reachable = await listReachable(root.root, fetch)
  expect(reachable.has(sha256("part"))).toBe(true)
  expect(reachable.size).toBe(4096 + 1 + files.objects.length + root.objects.length)
})
