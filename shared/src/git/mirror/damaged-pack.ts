import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { withOpenFile } from "../../foundation/with-open-file.ts"

/** Bytes of the checksum at the end of a pack, and of an index before its own. */
const CHECKSUMS = { sha1: 20, sha256: 32 }

/**
 * The name of a pack that was cut short or has no whole index; undefined when there is none. Compares the
 * last bytes of each pack with the copy in its index (gitformat-pack(5)), which finds a killed fetch and a
 * full disk in microseconds; damage in the middle shows when an object is read.
 */
export async function damagedPack(
  folder: string,
  format: keyof typeof CHECKSUMS,
): Promise<string | undefined> {
  const checksum = CHECKSUMS[format]
  const names: string[] = await readdir(folder).catch(() => [])
  for (const name of names.filter((each) => each.endsWith(".pack"))) {
    const indexName = name.replace(/\.pack$/, ".idx")
    if (!names.includes(indexName)) return name
    const index = await lastBytes(join(folder, indexName), 2 * checksum)
    const pack = await lastBytes(join(folder, name), checksum)
    if (pack.length < checksum || !pack.equals(index.subarray(0, checksum))) return name
  }
  return undefined
}

async function lastBytes(file: string, count: number): Promise<Buffer> {
  return await withOpenFile(file, "r", async (handle) => {
    const { size } = await handle.stat()
    const bytes = Buffer.alloc(Math.min(count, size))
    await handle.read(bytes, 0, bytes.length, size - bytes.length)
    return bytes
  })
}
