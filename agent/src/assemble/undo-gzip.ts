import { HeadraceError } from "@headrace/shared/foundation/errors"
import { gunzip } from "@headrace/shared/foundation/gunzip"

/** Undoes gzip of at most `most` bytes unpacked. Throws `projection/bad-gzip`, naming the origin, for anything else. */
export function undoGzip(packed: Buffer, origin: string, most: number): Buffer {
  const content = gunzip(packed, most)
  if (Buffer.isBuffer(content)) return content
  throw new HeadraceError("projection/bad-gzip", `${origin} cannot be gunzipped`, {
    hint: `Check the gunzip setting: the key must be whole gzip of at most ${most} bytes (bounds.file).`,
    cause: content.cause,
  })
}
