import { promisify } from "node:util"
import { gzip, gzipSync } from "node:zlib"

const gzipBeside = promisify(gzip)

/**
 * Most files of configuration are no larger. To hand one to another thread costs more than to compress it, and zlib sets up
 * memory for the whole window at each call, zlib.h. So does Node for what comes out: `chunkSize`, and more when that is full.
 */
const SMALL_BYTES = 8 * 1024
const SMALL_WINDOW = { windowBits: 13, memLevel: 6, chunkSize: 4 * 1024 }

/**
 * Bytes compressed by gzip, large ones on a thread beside this one. Builds of zlib differ in what they write, so never
 * compare two outputs: compare what they unpack to.
 */
export async function gzipped(content: Uint8Array): Promise<Buffer> {
  return content.length <= SMALL_BYTES ? gzipSync(content, SMALL_WINDOW) : gzipBeside(content)
}
