import { gunzipSync } from "node:zlib"

/** Why there is no content. */
export interface NotUnpacked {
  problem: "not-gzip" | "too-large"
  cause: unknown
}

/**
 * Unpacks gzip (RFC 1952) of at most `limit` bytes unpacked. Deflate reaches 1032:1, so that without a limit
 * one ConfigMap would take a gigabyte of memory (the zlib FAQ on compression ratios). Never throws.
 */
export function gunzip(packed: Buffer, limit: number): Buffer | NotUnpacked {
  try {
    return gunzipSync(packed, { maxOutputLength: limit })
  } catch (cause) {
    const isTooLarge = (cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE"
    return { problem: isTooLarge ? "too-large" : "not-gzip", cause }
  }
}

/** The same for callers that do not ask why: undefined where there is no content. */
export function gunzipped(packed: Buffer, limit: number): Buffer | undefined {
  const content = gunzip(packed, limit)
  return Buffer.isBuffer(content) ? content : undefined
}
