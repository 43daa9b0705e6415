import { type ErrorCode, HeadraceError } from "../foundation/errors.ts"

/** A regular file in an archive. */
export interface TarEntry {
  name: string
  executable: boolean
  content: Buffer
}

const BLOCK = 512
const LONGEST_NAME = 100
const END = Buffer.alloc(2 * BLOCK)

/** Offset and length of the header fields that differ between our entries. */
const NAME = [0, 100] as const
const SIZE = [124, 12] as const
const CHECKSUM = [148, 8] as const
const TYPE = 156

/** Type flags that deserve a name of their own when refused. */
const REFUSED_TYPES: Record<string, [code: ErrorCode, text: string]> = {
  "1": ["bundle/link", "a hard link"],
  "2": ["bundle/link", "a symbolic link"],
  "3": ["bundle/special-file", "a device"],
  "4": ["bundle/special-file", "a device"],
  "5": ["bundle/special-file", "a folder"],
  "6": ["bundle/special-file", "a named pipe"],
}

/**
 * Writes entries as a tar archive (POSIX.1-2017, pax, "ustar Interchange Format"), deterministically: no
 * times, no owners, mode 0444 or 0555, no padding beyond the end mark. Written here and not by a library, since
 * one encoding for one set of files is the point: the reader accepts exactly what this writes.
 */
export function writeTar(entries: readonly TarEntry[]): Buffer {
  const bytes = entries.reduce((sum, { content }) => sum + BLOCK + inBlocks(content.length), 0)
  const archive = Buffer.alloc(bytes + END.length)
  let at = 0
  for (const { name, executable, content } of entries) {
    writeHeader(archive.subarray(at, at + BLOCK), name, executable, content.length)
    archive.set(content, at + BLOCK)
    at += BLOCK + inBlocks(content.length)
  }
  return archive
}

/** The bytes that a content takes, with the zeros that fill its last block. */
function inBlocks(length: number): number {
  return Math.ceil(length / BLOCK) * BLOCK
}

/**
 * Reads what writeTar wrote, and nothing else: each header must be, byte for byte, the one that we would write
 * for its name, size and mode, so a link, a device, an extension or a second spelling cannot pass. Contents share
 * the archive's memory.
 *
 * Throws `bundle/truncated`, `bundle/bad-header`, `bundle/link`, `bundle/special-file`, `bundle/unsafe-name`,
 * `bundle/duplicate-name`, `bundle/trailing-data`.
 */
export function readTar(archive: Buffer): TarEntry[] {
  const entries: TarEntry[] = []
  const names = new Set<string>()
  let at = 0
  while (!isEnd(archive, at)) {
    if (at + BLOCK > archive.length)
      throw refused("bundle/truncated", `ends after ${archive.length} bytes without an end mark`)
    const { name, executable, size } = readHeader(archive.subarray(at, at + BLOCK))
    if (names.has(name)) throw refused("bundle/duplicate-name", `holds ${JSON.stringify(name)} twice`)
    names.add(name)
    const from = at + BLOCK
    at = from + inBlocks(size)
    if (at > archive.length) throw refused("bundle/truncated", `ends within ${JSON.stringify(name)}`)
    if (archive.subarray(from + size, at).some((byte) => byte !== 0)) {
      throw refused("bundle/trailing-data", `has data between its files, after ${JSON.stringify(name)}`)
    }
    entries.push({ name, executable, content: archive.subarray(from, from + size) })
  }
  if (at + END.length !== archive.length) throw refused("bundle/trailing-data", "goes on after its end mark")
  return entries
}

function isEnd(archive: Buffer, at: number): boolean {
  return archive.subarray(at, at + END.length).equals(END)
}

function readHeader(header: Buffer): { name: string; executable: boolean; size: number } {
  const refusal = REFUSED_TYPES[String.fromCharCode(header[TYPE] ?? 0)]
  const name = textAt(header, NAME)
  if (refusal) throw refused(refusal[0], `holds ${refusal[1]}, ${JSON.stringify(name)}`)
  if (header.every((byte) => byte === 0)) throw refused("bundle/truncated", "ends within its end mark")
  checkName(name)
  const sizeText = textAt(header, SIZE)
  const size = /^[0-7]{11}$/.test(sizeText) ? Number.parseInt(sizeText, 8) : undefined
  if (size === undefined) throw refused("bundle/bad-header", `has a bad size for ${JSON.stringify(name)}`)
  for (const executable of [false, true]) {
    const ours = Buffer.alloc(BLOCK)
    writeHeader(ours, name, executable, size)
    if (header.equals(ours)) return { name, executable, size }
  }
  throw refused("bundle/bad-header", `has a header that Headrace does not write, for ${JSON.stringify(name)}`)
}

/** Into a block of zeros. */
function writeHeader(header: Buffer, name: string, executable: boolean, size: number): void {
  checkName(name)
  header.write(name, NAME[0])
  header.write(executable ? "0000555\0" : "0000444\0", 100)
  header.write("0000000\x000000000\0", 108)
  header.write(`${size.toString(8).padStart(11, "0")}\0`, SIZE[0])
  header.write("00000000000\0", 136)
  header.fill(" ", CHECKSUM[0], CHECKSUM[0] + CHECKSUM[1])
  header.write("0", TYPE)
  header.write("ustar\x0000", 257)
  let sum = 0
  // By index: an iterator takes longer than all else here.
  for (let at = 0; at < BLOCK; at += 1) sum += header[at] ?? 0
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, CHECKSUM[0])
}

function checkName(name: string): void {
  const unsafe =
    name.startsWith("/") || name.split("/").some((part) => part === "" || part === "." || part === "..")
  if (unsafe) throw refused("bundle/unsafe-name", `names a place outside of itself, ${JSON.stringify(name)}`)
  if (name.length > LONGEST_NAME || !/^[\x20-\x7e]+$/.test(name)) {
    throw refused("bundle/bad-header", `has a name that does not fit, ${JSON.stringify(name)}`)
  }
}

/** A field's text, up to its first NUL. */
function textAt(header: Buffer, [from, length]: readonly [number, number]): string {
  return (
    header
      .subarray(from, from + length)
      .toString("latin1")
      .split("\0", 1)[0] ?? ""
  )
}

function refused(code: ErrorCode, what: string): HeadraceError {
  return new HeadraceError(code, `the archive ${what}`, {
    hint: "Run a full reconcile, which writes it again: it was damaged, or another program wrote it.",
  })
}
