import { HeadraceError } from "@headrace/shared/foundation/errors"
import { gunzip } from "@headrace/shared/foundation/gunzip"

/** What one key of a ConfigMap, at most 1 MiB of gzip, may unpack to. */
const UNPACKED_LIMIT_BYTES = 32 * 1024 * 1024

/** Undoes gzip within a bound. Throws `projection/bad-gzip`, naming the origin, for anything else. */
export function undoGzip(packed: Buffer, origin: string): Buffer {
  const content = gunzip(packed, UNPACKED_LIMIT_BYTES)
  if (Buffer.isBuffer(content)) return content
  throw new HeadraceError("projection/bad-gzip", `${origin} cannot be gunzipped`, {
    hint: `Check the gunzip setting: the key must be whole gzip of at most ${UNPACKED_LIMIT_BYTES} bytes.`,
    cause: content.cause,
  })
}
