import { gzipSync } from "node:zlib"
import { CONFIG_MAP_LIMIT_BYTES, type ConfigMap } from "../foundation/config-map.ts"
import { sha256 } from "../foundation/digest.ts"
import { HeadraceError } from "../foundation/errors.ts"
import { gunzip } from "../foundation/gunzip.ts"
import { SHARD_FORMAT, type StoreObject } from "./store-file.ts"

/** Holds the whole digest, of which the name has the beginning. */
export const DIGEST_ANNOTATION = "headrace.dev/digest"
const FORMAT_ANNOTATION = "headrace.dev/format"
const CONTENT_KEY = "content.gz"
const NAME_DIGITS = 40
/** No object of ours is nearly as large when unpacked: where a gzip bomb ends, whatever an index promises. */
const MOST_PAYLOAD = 8 * 1024 * 1024
/** A tar header, padding, and a line of the listing with a long path in it. */
const MOST_PER_FILE = 16 * 1024
/** What a shard's payload has beside its files: the listing's frame, the end mark, digests of parts. */
const MOST_PER_SHARD = 256 * 1024

/** The ConfigMap's name of an object, `shard-…` or `index-…`. */
export function storeObjectName(kind: StoreObject["kind"], digest: string): string {
  return `${kind}-${digest.slice(0, NAME_DIGITS)}`
}

/**
 * An object of the store as an immutable ConfigMap. `content`: its payload as it was gzipped before. Throws
 * `bundle/too-large`.
 */
export function storeConfigMap(
  namespace: string,
  object: StoreObject,
  content: Buffer = gzipSync(object.payload),
): ConfigMap {
  const name = storeObjectName(object.kind, object.digest)
  if (object.payload.length > MOST_PAYLOAD || content.length > CONFIG_MAP_LIMIT_BYTES) {
    throw new HeadraceError(
      "bundle/too-large",
      `${name} of ${object.payload.length} bytes does not fit a ConfigMap`,
    )
  }
  return {
    metadata: {
      name,
      namespace,
      labels: { "app.kubernetes.io/name": "headrace", "app.kubernetes.io/component": object.kind },
      annotations: { [DIGEST_ANNOTATION]: object.digest, [FORMAT_ANNOTATION]: String(SHARD_FORMAT) },
    },
    binaryData: { [CONTENT_KEY]: content.toString("base64") },
    immutable: true,
  }
}

/** What an object holds, gzipped as it is there, for those who pass it on; undefined: nothing. */
export function packedContent({ binaryData }: Pick<ConfigMap, "binaryData">): Buffer | undefined {
  const base64 = binaryData?.[CONTENT_KEY]
  return base64 === undefined ? undefined : Buffer.from(base64, "base64")
}

/** An object out of packed content that came by another way than the API server. What it is, only its digest says. */
export function objectOfContent(namespace: string, name: string, content: Buffer): ConfigMap {
  return { metadata: { namespace, name }, binaryData: { [CONTENT_KEY]: content.toString("base64") } }
}

/** The most bytes that a shard unpacks to which holds what an index says of it. */
export function mostShardBytes({ files, bytes }: { files: number; bytes: number }): number {
  return Math.min(MOST_PAYLOAD, bytes + files * MOST_PER_FILE + MOST_PER_SHARD)
}

/**
 * The payload of a store ConfigMap, proven to be the one that `expectedDigest` names, whatever the object's
 * own annotations claim. No more than `most` bytes are unpacked: what the index promises of a shard (mostShardBytes), or
 * a part's size.
 *
 * Throws `bundle/missing-content`, `bundle/bad-gzip`, `bundle/too-large` (a gzip bomb), `bundle/wrong-digest`.
 */
export function openStoreConfigMap(
  configMap: ConfigMap,
  expectedDigest: string,
  most: number = MOST_PAYLOAD,
): Buffer {
  const { namespace, name } = configMap.metadata
  const base64 = configMap.binaryData?.[CONTENT_KEY]
  if (base64 === undefined) {
    throw new HeadraceError(
      "bundle/missing-content",
      `ConfigMap ${namespace}/${name} has no ${CONTENT_KEY}`,
      { hint: HINT },
    )
  }
  const payload = unpackPayload(
    Buffer.from(base64, "base64"),
    `${namespace}/${name}`,
    Math.min(most, MOST_PAYLOAD),
  )
  if (sha256(payload) === expectedDigest) return payload
  throw new HeadraceError(
    "bundle/wrong-digest",
    `ConfigMap ${namespace}/${name} does not hold ${expectedDigest}`,
    { hint: HINT },
  )
}

const HINT = "Delete it: another program wrote it, and a full reconcile writes it again."

function unpackPayload(packed: Buffer, name: string, most: number): Buffer {
  const payload = gunzip(packed, most)
  if (Buffer.isBuffer(payload)) return payload
  const { problem, cause } = payload
  if (problem === "not-gzip") {
    throw new HeadraceError("bundle/bad-gzip", `ConfigMap ${name} is not gzip`, { cause, hint: HINT })
  }
  throw new HeadraceError("bundle/too-large", `ConfigMap ${name} unpacks to more than ${most} bytes`, {
    cause,
    hint: HINT,
  })
}
