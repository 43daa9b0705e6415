import { gunzipSync, gzipSync } from "node:zlib"
import { undoGzip } from "@headrace/agent/assemble/undo-gzip"
import { openStoreConfigMap } from "@headrace/shared/bundle/store-config-map"
import { unpackShard } from "@headrace/shared/bundle/unpack-shard"
import { sha256 } from "@headrace/shared/foundation/digest"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import fc from "fast-check"
import { revisionObjects } from "../harness/write-revision.ts"

/**
 * Feeds hostile archives to all that the agent unpacks: `hostile-archives-process.ts RUNS SEED`. Prints as JSON how
 * many were refused and by how many bytes the process has grown at its peak; ends with 1 for any error but ours.
 */
const [runs, seed] = process.argv.slice(2).map(Number)

const MEGABYTE = 1024 * 1024
const BLOCK = 512
/** Where a tar header keeps its fields (POSIX, pax, ustar interchange format). */
const FIELDS = { name: 0, mode: 100, size: 124, checksum: 148, type: 156, link: 157, prefix: 345 }

const { store } = revisionObjects({
  seq: 1,
  targets: { "ci/x": { "a/one": "1".repeat(3000), "b/two*": "2", "c/three": "" } },
})
const shard = store.find(({ metadata }) => metadata.name.startsWith("shard-"))
if (shard === undefined) throw new Error("there is no shard to begin with")
const payload = gunzipSync(Buffer.from(shard.binaryData?.["content.gz"] ?? "", "base64"))

/** A tar whose headers say something else, with their checksums right, so that nothing stops it early. */
const forged = fc
  .record({
    header: fc.nat(payload.length / BLOCK - 1),
    field: fc.constantFrom(...(Object.keys(FIELDS) as (keyof typeof FIELDS)[])),
    text: fc.oneof(
      fc.constantFrom("../x", "/etc/x", "files/../../x", "..", "\0", "1", "2", "3", "4", "5", "L", "x", "g"),
      fc.constantFrom("77777777777", "\x80\0\0\0\x7f\xff\xff\xff\xff", "-0000000001", "0004755\0"),
      fc.string({ maxLength: 12 }),
    ),
  })
  .map(({ header, field, text }) => {
    const mutant = Buffer.from(payload)
    const start = header * BLOCK
    mutant.write(text, start + FIELDS[field], "latin1")
    return withChecksum(mutant, start)
  })

const cut = fc.nat(payload.length).map((length) => payload.subarray(0, length))
const doubled = fc.constantFrom(2, 100, 1500).map((times) => Buffer.concat(Array(times).fill(payload)))
const tar = fc.oneof(forged, cut, doubled, fc.constant(payload))

/** A megabyte of this unpacks to a gigabyte: gzip members follow one another (RFC 1952, 2.2). */
const member = gzipSync(Buffer.alloc(8 * MEGABYTE))
const bomb = fc.integer({ min: 2, max: 120 }).map((times) => Buffer.concat(Array<Buffer>(times).fill(member)))
const packed = fc.oneof(
  tar.map((bytes) => gzipSync(bytes)),
  bomb,
  fc.tuple(bomb, fc.uint8Array({ maxLength: 100 })).map(([bytes, tail]) => Buffer.concat([bytes, tail])),
  tar.chain((bytes) => {
    const gz = gzipSync(bytes)
    return fc.nat(gz.length).map((length) => gz.subarray(0, length))
  }),
  tar.map((bytes) => gzipSync(gzipSync(bytes))),
  fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
)

let refused = 0
const before = process.resourceUsage().maxRSS
fc.assert(
  fc.property(packed, (content) => {
    const object = { ...shard, binaryData: { "content.gz": content.toString("base64") } }
    refusedOr(() => openStoreConfigMap(object, sha256("what was asked for")))
    refusedOr(() => undoGzip(content, "ConfigMap ci/x, key a", 32 * MEGABYTE))
    // As if its digest were right: the writer of the store's objects also chose their names.
    refusedOr(() => unpackShard(gunzipSync(content, { maxOutputLength: 8 * MEGABYTE })))
  }),
  { numRuns: runs ?? 100, ...(seed === undefined ? {} : { seed }) },
)
const grown = (process.resourceUsage().maxRSS - before) * 1024
process.stdout.write(`${JSON.stringify({ refused, grown })}\n`)

function refusedOr(read: () => unknown): void {
  try {
    read()
  } catch (error) {
    const isZlib =
      error instanceof Error && /^(Z_|ERR_BUFFER_TOO_LARGE)/.test(String(Reflect.get(error, "code")))
    if (!(error instanceof HeadraceError) && !isZlib) throw error
    refused += 1
  }
}

function withChecksum(bytes: Buffer, start: number): Buffer {
  bytes.fill(" ", start + FIELDS.checksum, start + FIELDS.checksum + 8)
  const sum = bytes.subarray(start, start + BLOCK).reduce((total, byte) => total + byte, 0)
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, start + FIELDS.checksum, "latin1")
  return bytes
}
