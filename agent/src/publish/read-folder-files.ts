import { isUtf8 } from "node:buffer"
import { readdirSync, readFileSync, realpathSync, type Stats, statSync } from "node:fs"
import { join, resolve, sep } from "node:path"
import { canonicalJson, compareText } from "@headrace/shared/foundation/canonical-json"
import { sha256 } from "@headrace/shared/foundation/digest"
import { HeadraceError, UsageError } from "@headrace/shared/foundation/errors"
import type { RevisionFile } from "../store/revision.ts"

const EXECUTABLE = 0o111
const SKIPPED = new Set([".git", "lost+found"])

/** A file of a folder, as it was listed. */
export interface ListedFile {
  /** Below the folder, `/` between elements. */
  path: string
  /** Where the content is, links followed. */
  place: string
  status: Stats
}

/**
 * The files of a folder, to publish, sorted by path: executable or not, links inside the folder followed (so a
 * ConfigMap mount can be published), `.git` left out and, at the top, what starts with `..`. Throws
 * `publish/bad-source` for links that lead outside or dangle and for anything that is no file. It blocks: a
 * program that serves no other client reads 5,000 files ten times faster this way.
 */
export function readFolderFiles(folder: string): RevisionFile[] {
  return listFolder(folder).map(fileAt)
}

/** The same without reading them. */
export function listFolder(folder: string): ListedFile[] {
  const files: ListedFile[] = []
  const root = realRoot(folder)
  listInto(files, root, root, "", new Set([root]))
  return files.sort((a, b) => compareText(a.path, b.path))
}

/** The mode in a revision of a file with this mode on disk. */
export function publishedMode(mode: number): number {
  return mode & EXECUTABLE ? 0o555 : 0o444
}

/** A name for content that has none of its own: the same files and modes give the same one. */
export function revisionDigest(files: readonly RevisionFile[]): string {
  return sha256(canonicalJson(files.map(({ path, mode, sha256 }) => [path, mode, sha256])))
}

function listInto(
  files: ListedFile[],
  root: string,
  folder: string,
  prefix: string,
  above: ReadonlySet<string>,
): void {
  for (const entry of readdirSync(folder, { withFileTypes: true, encoding: "buffer" })) {
    const path = `${prefix}${entry.name}`
    if (isSkipped(entry.name.toString(), prefix === "")) continue
    if (!isUtf8(entry.name)) throw bad(path, "has a name that is not UTF-8")
    const full = join(folder, entry.name.toString())
    const place = entry.isSymbolicLink() ? placeOf(root, full, path) : full
    const status = statSync(place)
    if (status.isDirectory()) {
      if (above.has(place)) throw bad(path, "is a link to a folder that it is in")
      listInto(files, root, place, `${path}/`, new Set([...above, place]))
    } else if (status.isFile()) files.push({ path, place, status })
    else throw bad(path, "is neither a file nor a folder")
  }
}

function isSkipped(name: string, isTop: boolean): boolean {
  return SKIPPED.has(name) || (isTop && name.startsWith(".."))
}

function realRoot(folder: string): string {
  const hint = "Give --from a folder that this user may read."
  try {
    const root = realpathSync(resolve(folder))
    readdirSync(root)
    return root
  } catch (cause) {
    throw new UsageError("publish/bad-source", `cannot read the folder ${folder}`, { hint, cause })
  }
}

function placeOf(root: string, full: string, path: string): string {
  const place = targetOf(full, path)
  if (place === root || place.startsWith(root + sep)) return place
  throw bad(path, "is a link that leads outside of the folder")
}

function targetOf(full: string, path: string): string {
  try {
    return realpathSync(full)
  } catch (cause) {
    throw bad(path, "is a dangling link", cause)
  }
}

function fileAt({ path, place, status }: ListedFile): RevisionFile {
  const content = readFileSync(place)
  return {
    path,
    mode: publishedMode(status.mode),
    size: content.length,
    sha256: sha256(content),
    read: async () => readFileSync(place),
  }
}

function bad(path: string, what: string, cause?: unknown): HeadraceError {
  return new HeadraceError("publish/bad-source", `${JSON.stringify(path)} ${what}`, {
    fields: { path },
    cause,
  })
}
