import { createHash } from "node:crypto"
import type { ConfigMap } from "../../foundation/config-map.ts"

/** Hex digits kept of a digest: it detects accidents, not attacks, and is on every target. */
const DIGITS = 32

/**
 * Digest of every key and value of a ConfigMap, as it is there: a program that changes any of it afterwards leaves a
 * ConfigMap that no longer has the digest it was stamped with. Compressed values are taken as they are: what
 * is compared is what we wrote with what is there, never one zlib's output with another's.
 */
export function contentDigest({ data, binaryData }: Pick<ConfigMap, "data" | "binaryData">): string {
  const hash = createHash("sha256")
  for (const part of [data, binaryData]) {
    for (const [key, value] of Object.entries(part ?? {}).sort(byKey)) {
      hash.update(`${key.length} ${value.length} ${key}`).update(value)
    }
    hash.update(";")
  }
  return hash.digest("hex").slice(0, DIGITS)
}

function byKey([a]: [string, string], [b]: [string, string]): number {
  return a < b ? -1 : 1
}
