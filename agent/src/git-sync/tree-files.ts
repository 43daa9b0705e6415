import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { readdir, readFile, realpath, stat } from "node:fs/promises"
import { join, sep } from "node:path"
import { pipeline } from "node:stream/promises"
import { compareText } from "@headrace/shared/foundation/canonical-json"
import { sha256 as sha256Of } from "@headrace/shared/foundation/digest"
import type { RevisionFile } from "../store/revision.ts"

const EXECUTABLE = 0o111
/** Bytes up to which a file is read whole. */
const SMALL = 1024n * 1024n

/** Why an entry of a tree is not published, by its path. */
export type LeftOut = ReadonlyMap<string, string>

/** Digests of files by their identity on disk: an unchanged file is not read again. */
export type KnownDigests = Map<string, { stamp: string; sha256: string }>

/**
 * The files of a work tree, by path. A link is what it links to, when that is in the tree; `.git` is left out. What
 * cannot be published is left out and listed: links that dangle, form a cycle or have their target outside, names that
 * are no UTF-8, what is neither file nor folder, and names at the top that start with "..". `known` becomes what this
 * tree's files are.
 */
export async function treeFiles(
  folder: string,
  known: KnownDigests,
): Promise<{ files: RevisionFile[]; leftOut: LeftOut }> {
  const root = await realpath(folder)
  const walk: Walk = { root, known, next: new Map(), files: [], leftOut: new Map() }
  await walkInto(walk, root, "", new Set([root]))
  known.clear()
  for (const [path, digest] of walk.next) known.set(path, digest)
  return { files: walk.files.sort((a, b) => compareText(a.path, b.path)), leftOut: walk.leftOut }
}

interface Walk {
  readonly root: string
  readonly known: KnownDigests
  readonly next: KnownDigests
  readonly files: RevisionFile[]
  readonly leftOut: Map<string, string>
}

async function walkInto(
  walk: Walk,
  folder: string,
  prefix: string,
  above: ReadonlySet<string>,
): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true, encoding: "buffer" })
  for (const entry of entries) {
    const name = entry.name.toString("utf8")
    const path = `${prefix}${name}`
    if (name === ".git") continue
    const fault = nameFault(entry.name, name, prefix)
    if (fault !== undefined) walk.leftOut.set(path, fault)
    else await take(walk, join(folder, name), path, entry.isSymbolicLink(), above)
  }
}

function nameFault(bytes: Buffer, name: string, prefix: string): string | undefined {
  if (!Buffer.from(name).equals(bytes)) return "its name is no UTF-8"
  return prefix === "" && name.startsWith("..") ? 'its name starts with ".."' : undefined
}

async function take(
  walk: Walk,
  full: string,
  path: string,
  isLink: boolean,
  above: ReadonlySet<string>,
): Promise<void> {
  const place = isLink ? await realpath(full).catch(() => undefined) : full
  if (place === undefined) return leaveOut(walk, path, "the link dangles or is part of a cycle")
  const relative = place === walk.root ? "" : place.slice(walk.root.length + 1)
  const isInside = place === walk.root || place.startsWith(walk.root + sep)
  if (!isInside || relative.split(sep)[0] === ".git")
    return leaveOut(walk, path, "the link's target is outside of the tree")
  const found = await stat(place, { bigint: true })
  if (found.isDirectory()) {
    if (above.has(place)) return leaveOut(walk, path, "the link's target is a folder that it is in")
    return walkInto(walk, place, `${path}/`, new Set([...above, place]))
  }
  if (!found.isFile()) return leaveOut(walk, path, "it is neither a file nor a folder")
  const stamp = `${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}`
  const before = walk.known.get(path)
  const sha256 = before?.stamp === stamp ? before.sha256 : await digestOf(place, found.size)
  walk.next.set(path, { stamp, sha256 })
  walk.files.push({
    path,
    mode: Number(found.mode) & EXECUTABLE ? 0o555 : 0o444,
    size: Number(found.size),
    sha256,
    read: () => readFile(place),
  })
}

function leaveOut(walk: Walk, path: string, why: string): void {
  walk.leftOut.set(path, why)
}

async function digestOf(file: string, size: bigint): Promise<string> {
  // A stream costs more than most files hold.
  if (size <= SMALL) return sha256Of(await readFile(file))
  const hash = createHash("sha256")
  await pipeline(createReadStream(file), hash)
  return hash.digest("hex")
}

/** For the log: the first of them. */
export function leftOutText(leftOut: LeftOut): string[] {
  return [...leftOut].slice(0, 10).map(([path, why]) => `${JSON.stringify(path)}: ${why}`)
}
