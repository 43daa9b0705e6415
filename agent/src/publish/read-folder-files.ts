import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs"
import { join, resolve, sep } from "node:path"
import { canonicalJson, compareText } from "@headrace/shared/foundation/canonical-json"
import { sha256 } from "@headrace/shared/foundation/digest"
import { HeadraceError, UsageError } from "@headrace/shared/foundation/errors"
import type { RevisionFile } from "../store/revision.ts"

const EXECUTABLE = 0o111
const SKIPPED = new Set([".git", "lost+found"])

/**
 * The files of a folder, to publish, sorted by path: executable or not, links inside the folder followed (so a
 * ConfigMap mount can be published), `.git` left out and, at the top, what starts with `..`. Throws
 * `publish/bad-source` for links that lead outside or nowhere and for anything that is no file. It blocks: a
 * program that serves no other client reads 5,000 files ten times faster this way.
 */
export function readFolderFiles(folder: string): RevisionFile[] {
  const files: RevisionFile[] = []
  const root = realRoot(folder)
  readInto(files, root, root, "", new Set([root]))
  return files.sort((a, b) => compareText(a.path, b.path))
}

/** A name for content that has none of its own: the same files and modes give the same one. */
export function revisionDigest(files: readonly RevisionFile[]): string {
  return sha256(canonicalJson(files.map(({ path, mode, sha256 }) => [path, mode, sha256])))
}

function readInto(
  files: RevisionFile[],
  root: string,
  folder: string,
  prefix: string,
  above: ReadonlySet<string>,
): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const { name } = entry
    if (SKIPPED.has(name) || (prefix === "" && name.startsWith(".."))) continue
    const path = `${prefix}${name}`
    const full = join(folder, name)
    const place = entry.isSymbolicLink() ? placeOf(root, full, path) : full
    const found = statSync(place)
    if (found.isDirectory()) {
      if (above.has(place)) throw bad(path, "is a link to a folder that it is in")
      readInto(files, root, place, `${path}/`, new Set([...above, place]))
    } else if (found.isFile()) files.push(fileAt(place, path, found.mode))
    else throw bad(path, "is neither a file nor a folder")
  }
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

function fileAt(place: string, path: string, mode: number): RevisionFile {
  const content = readFileSync(place)
  return {
    path,
    mode: mode & EXECUTABLE ? 0o555 : 0o444,
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
