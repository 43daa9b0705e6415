import { packShard } from "@headrace/shared/bundle/pack-shard"
import { LISTING_NAME, writeListing } from "@headrace/shared/bundle/shard-listing"
import { storeConfigMap } from "@headrace/shared/bundle/store-config-map"
import { PART_BYTES, type StoreObject } from "@headrace/shared/bundle/store-file"
import { writeTar } from "@headrace/shared/bundle/tar-archive"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import { sha256 } from "@headrace/shared/foundation/digest"
import { boundBreaches } from "@headrace/shared/observe/bound-breaches"
import { buildFilesIndex, buildTargetsIndex, type ShardEntry } from "@headrace/shared/record/build-index"
import { newRecord } from "@headrace/shared/record/record"
import { describe, expect, it } from "vitest"
import { type Inputs, NO_INPUTS } from "./inputs.ts"
import { createStoreReader } from "./store-reader.ts"
import { createTargetSource } from "./target-source.ts"

const NAMESPACE = "headrace"
const COMMIT = "c".repeat(40)
const TARGET = { namespace: "ci", name: "large" }

/** A store with one target, of shards as they are given; what an index says of each is the caller's. */
function storeOf(shards: readonly { objects: readonly StoreObject[]; entry: ShardEntry }[]) {
  const index = buildFilesIndex(shards.map(({ entry }) => entry))
  const root = buildTargetsIndex([{ ...TARGET, index: index.root, files: shards.length, bytes: 0 }])
  const objects = [...shards.flatMap((shard) => shard.objects), ...index.objects, ...root.objects]
  const byName = new Map<string, ConfigMap>()
  for (const object of objects) {
    const configMap = storeConfigMap(NAMESPACE, object)
    byName.set(configMap.metadata.name, configMap)
  }
  const read: string[] = []
  const reader = {
    get: async (_: string, name: string) => {
      read.push(name)
      return byName.get(name)
    },
  }
  const record = { ...newRecord("ci", { epoch: 1, seq: 1 }), commit: COMMIT, root: root.root }
  const { signal } = new AbortController()
  /** What a note names that has all of it read ahead. */
  const added = { indexes: [index.root], shards: shards.map(({ entry }) => entry.shard) }
  const recordAdded = { root: root.root, indexes: [], targets: { "ci/large": added } }
  function assemble(inputs: Partial<Inputs> = {}) {
    const bounds = { file: 32 * 2 ** 20, files: 1000 }
    const store = createStoreReader({ reader, namespace: NAMESPACE, signal, bounds })
    const options = { target: "ci/large", names: "keys", whenAbsent: "wait" } as const
    return createTargetSource(options, store).assemble({ ...NO_INPUTS, record, ...inputs })
  }
  return { assemble, read, recordAdded }
}

/** A shard of one file of zeros, and what an honest index says of it. */
function zeros(key: string, size: number, prefix: string) {
  const file = { key, path: key, oid: key, size, executable: false, gzip: false }
  const { shard, parts } = packShard({ prefix, files: [file], fingerprint: key }, [Buffer.alloc(size)])
  const entry = {
    prefix,
    shard: shard.digest,
    files: 1,
    bytes: size,
    parts: parts.map(({ digest }) => digest),
  }
  return { objects: [shard, ...parts], entry }
}

/** A shard that lists a file of zeros in parts which are all the same, as gzip makes it cheap to write. */
function listedZeros(key: string, size: number, prefix: string) {
  const part = sha256(Buffer.alloc(PART_BYTES))
  const parts = Array.from({ length: Math.ceil(size / PART_BYTES) }, () => part)
  const facts = { key, path: key, executable: false, gzip: false, size, sha256: part }
  const content = writeListing([{ ...facts, parts }])
  const payload = writeTar([{ name: LISTING_NAME, executable: false, content }])
  const shard: StoreObject = { kind: "shard", digest: sha256(payload), payload }
  return { objects: [shard], entry: { prefix, shard: shard.digest, files: 1, bytes: size, parts: [part] } }
}

function breachesOf(bound: string): number {
  return (
    boundBreaches().find((breach) => breach.bound === bound && breach.culprit === "origin ci/large")?.count ??
    0
  )
}

describe("a target of the store", () => {
  it("of eight files of 95 MB of zeros is refused by what its shards list, before a part is read", async () => {
    const shards = Array.from({ length: 8 }, (_, index) =>
      listedZeros(`zeros-${index}`, 95_000_000, String(index)),
    )
    const { assemble, read } = storeOf(shards)
    const before = breachesOf("file")
    await expect(assemble()).rejects.toMatchObject({
      code: "store/file-too-large",
      message: expect.stringContaining("of ConfigMap ci/large has 95000000 bytes"),
    })
    expect(breachesOf("file")).toBe(before + 1)
    const parts = new Set(shards.flatMap(({ entry }) => entry.parts.map((digest) => digest.slice(0, 40))))
    expect(read.filter((name) => parts.has(name.replace("shard-", "")))).toEqual([])
  })

  it("gives a file of 20 MB, joined from its parts", async () => {
    const { assemble } = storeOf([zeros("zeros", 20_000_000, "")])
    const [file] = (await assemble()).files
    expect((await file?.read())?.length).toBe(20_000_000)
  })

  it("of more files than the bound is refused by its index alone", async () => {
    const one = zeros("one", 10, "0")
    const { assemble, read } = storeOf([{ ...one, entry: { ...one.entry, files: 1001 } }])
    await expect(assemble()).rejects.toMatchObject({ code: "store/too-many-files" })
    expect(read.filter((name) => name.startsWith("shard-"))).toEqual([])
  })

  it("is refused where a shard unpacks to more than its index promises", async () => {
    const large = zeros("large", 400_000, "")
    const { assemble, recordAdded } = storeOf([{ ...large, entry: { ...large.entry, bytes: 10 } }])
    await expect(assemble()).rejects.toMatchObject({ code: "bundle/too-large" })
    await expect(assemble({ recordAdded })).rejects.toMatchObject({ code: "bundle/too-large" })
  })

  it("is refused where a shard lists more files than its index promises", async () => {
    const one = zeros("one", 10, "0")
    const { assemble } = storeOf([{ ...one, entry: { ...one.entry, files: 2 } }])
    await expect(assemble()).rejects.toMatchObject({ code: "store/corrupt" })
  })
})
