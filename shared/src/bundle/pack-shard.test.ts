import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import fc from "fast-check"
import { extract } from "tar-stream"
import { describe, expect, it } from "vitest"
import { HeadraceError } from "../foundation/errors.ts"
import { packShard } from "./pack-shard.ts"
import { splitIntoShards } from "./shard-trie.ts"
import { mostShardBytes, openStoreConfigMap, storeConfigMap } from "./store-config-map.ts"
import { PART_BYTES, type StoreFile } from "./store-file.ts"
import { joinParts, unpackShard } from "./unpack-shard.ts"

interface Input {
  file: StoreFile
  content: Buffer
}

function input(key: string, path: string, content: Buffer, executable = false, gzip = false): Input {
  return { content, file: { key, path, oid: `of ${key}`, size: content.length, executable, gzip } }
}

function pack(inputs: readonly Input[]) {
  const contents = new Map(inputs.map(({ file, content }) => [file.oid, content]))
  return splitIntoShards(inputs.map(({ file }) => file)).map((layout) =>
    packShard(
      layout,
      layout.files.map((file) => contents.get(file.oid) ?? Buffer.alloc(0)),
    ),
  )
}

/** Through ConfigMaps and back, as an agent would. */
async function roundTrip(inputs: readonly Input[]) {
  const files = pack(inputs).flatMap(({ shard, parts }) => {
    const pieces = new Map(
      parts.map((part) => [
        part.digest,
        openStoreConfigMap(storeConfigMap("ns", part), part.digest, PART_BYTES),
      ]),
    )
    const read = async (digest: string) => pieces.get(digest) ?? Buffer.alloc(0)
    const most = mostShardBytes({ files: inputs.length, bytes: sizeOf(inputs) })
    return unpackShard(openStoreConfigMap(storeConfigMap("ns", shard), shard.digest, most)).map(
      async (file) => ({
        ...file,
        content: file.content ?? (await joinParts(file, read)),
      }),
    )
  })
  return Promise.all(files)
}

function sizeOf(inputs: readonly Input[]): number {
  return inputs.reduce((sum, { file }) => sum + file.size, 0)
}

const key = fc.stringMatching(/^[-_a-zA-Z0-9][-._a-zA-Z0-9]{0,40}$/)
const path = fc
  .array(fc.string({ unit: "grapheme", minLength: 1, maxLength: 90 }), { minLength: 1, maxLength: 4 })
  .map((parts) =>
    parts
      .map((part) => part.replaceAll(/[/\0]/g, "_"))
      .map((part) => (/^\.{1,2}$/.test(part) ? "x" : part))
      .join("/"),
  )
const anyInput = fc
  .tuple(key, path, fc.uint8Array({ maxLength: 2000 }), fc.boolean(), fc.boolean())
  .map(([name, at, bytes, executable, gzip]) => input(name, at, Buffer.from(bytes), executable, gzip))

describe("packShard and unpackShard", () => {
  it("bring back any names, bytes and modes", async () => {
    const inputs = fc.uniqueArray(anyInput, { selector: ({ file }) => file.key, minLength: 1, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(inputs, async (list) => {
        const back = await roundTrip(list)
        expect(back).toHaveLength(list.length)
        for (const { file, content } of list) {
          const { key: name, path: at, executable, gzip, size } = file
          expect(back.find((each) => each.key === name)).toMatchObject({
            path: at,
            executable,
            gzip,
            size,
            content,
          })
        }
      }),
    )
  })

  it("bring back a file of 20 MB in parts, and rewrite one part and the shard for one changed byte", async () => {
    const content = randomBytes(20_000_000)
    const before = pack([input("large", "large.bin", content), input("small", "small", Buffer.from("s"))])
    const [back] = await roundTrip([input("large", "large.bin", content)])
    expect(back?.content.equals(content)).toBe(true)

    const changed = Buffer.from(content)
    changed.writeUInt8((changed.readUInt8(PART_BYTES) + 1) % 256, PART_BYTES)
    const after = pack([input("large", "large.bin", changed), input("small", "small", Buffer.from("s"))])
    const digests = (packed: typeof before) =>
      packed.flatMap(({ shard, parts }) => [shard, ...parts].map((each) => each.digest))
    const known = new Set(digests(before))
    expect(digests(after).filter((each) => !known.has(each))).toHaveLength(2)
  })

  it("write an archive that GNU tar and tar-stream read too", async () => {
    const [packed] = pack([input("a", "dir/a", Buffer.from("alpha"), true), input("b", "b", Buffer.alloc(0))])
    const payload = packed?.shard.payload ?? Buffer.alloc(0)

    expect(execFileSync("tar", ["-tf", "-"], { input: payload }).toString()).toBe(
      "files.json\nfiles/0\nfiles/1\n",
    )
    const names: string[] = []
    const reader = extract()
    reader.end(payload)
    for await (const entry of reader) {
      names.push(entry.header.name)
      entry.resume()
    }
    expect(names).toEqual(["files.json", "files/0", "files/1"])
  })

  it("refuse contents that are not of the listed size", () => {
    const [layout] = splitIntoShards([input("a", "a", Buffer.from("x")).file])
    expect(layout && (() => packShard(layout, [Buffer.from("xy")]))).toThrow("2 bytes instead of 1")
  })

  it("refuse every mutation of a payload, or read the same from it, by a named error", () => {
    const [packed] = pack([
      input("a", "dir/a", Buffer.from("alpha")),
      input("b", "b", randomBytes(700), true),
    ])
    const payload = packed?.shard.payload ?? Buffer.alloc(0)
    const whole = unpackShard(payload)
    const mutation = fc.oneof(
      fc.record({ at: fc.nat(payload.length - 1), byte: fc.nat(255) }).map(({ at, byte }) => {
        const mutant = Buffer.from(payload)
        mutant[at] = byte
        return mutant
      }),
      fc.nat(payload.length).map((length) => payload.subarray(0, length)),
      fc.uint8Array({ maxLength: 2000 }).map((tail) => Buffer.concat([payload, tail])),
      fc.record({ from: fc.nat(8), to: fc.nat(8) }).map(({ from, to }) => {
        const mutant = Buffer.from(payload)
        payload.copy(mutant, to * 512, from * 512, from * 512 + 512)
        return mutant
      }),
      fc.uint8Array({ maxLength: 4096 }).map((bytes) => Buffer.from(bytes)),
    )
    fc.assert(
      fc.property(mutation, (mutant) => {
        try {
          expect(unpackShard(mutant)).toEqual(whole)
          expect(mutant.equals(payload)).toBe(true)
        } catch (error) {
          if (!(error instanceof HeadraceError)) throw error
          expect(error.code).toMatch(/^bundle\//)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
