import { gunzipSync } from "node:zlib"
import { HeadraceError } from "@headrace/shared/foundation/errors"

/**
 * What 1 MiB of gzip may unpack to. Deflate reaches 1032:1, so that without a bound one ConfigMap would take
 * a gigabyte of memory (RFC 1951; the zlib FAQ on compression ratios).
 */
const UNPACKED_LIMIT_BYTES = 32 * 1024 * 1024

/** Undoes gzip within a bound. Throws `projection/bad-gzip`, naming the origin, for anything else. */
export function undoGzip(packed: Buffer, origin: string): Buffer {
  try {
    return gunzipSync(packed, { maxOutputLength: UNPACKED_LIMIT_BYTES })
  } catch (cause) {
    throw new HeadraceError("projection/bad-gzip", `${origin} cannot be gunzipped`, {
      hint: `It must be whole gzip of at most ${UNPACKED_LIMIT_BYTES} bytes; check the gunzip setting.`,
      cause,
    })
  }
}
