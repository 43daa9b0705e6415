import { isUtf8 } from "node:buffer"
import type { Dirent } from "node:fs"
import { readdir, readlink, realpath } from "node:fs/promises"
import { join } from "node:path"
import limit from "p-limit"
import { compareText } from "../foundation/canonical-json.ts"
import { UsageError } from "../foundation/errors.ts"
import type { TreeFile, TreeProblem } from "../foundation/tree.ts"
import { withOpenFile } from "../foundation/with-open-file.ts"
import { contentId, fileChanged } from "./folder-content.ts"
import { isLfsPointer } from "./lfs-pointer.ts"
import type { TreeLink } from "./links/follow-link.ts"
import { lfsProblem, pathProblem, specialFileProblem, submoduleProblem } from "./tree-problems.ts"

/** What lies in a folder, links not yet resolved. */
export interface FolderEntries {
  /** In path order. */
  files: TreeFile[]
  /** In path order. */
  links: TreeLink[]
  problems: TreeProblem[]
  /** Content id to a file on disk that holds it. */
  places: Map<string, string>
}

const OWNER_MAY_EXECUTE = 0o100
const ENTRIES_AT_ONCE = 16

/** Reads all of a folder but `.git`. Throws `git/folder-missing`, `git/file-changed`. */
export async function walkFolder(folder: string): Promise<FolderEntries> {
  const top = await realFolder(folder)
  const found: FolderEntries = { files: [], links: [], problems: [], places: new Map() }
  const atOnce = limit(ENTRIES_AT_ONCE)
  const folders = [""]
  for (let path = folders.pop(); path !== undefined; path = folders.pop()) {
    const within = path === "" ? "" : `${path}/`
    const entries = await readdir(join(top, path), { withFileTypes: true, encoding: "buffer" })
    if (within !== "" && entries.some(isGit)) {
      found.problems.push(submoduleProblem(path))
      continue
    }
    const jobs = entries
      .filter((entry) => !isGit(entry))
      .map((entry) => {
        const entryPath = within + entry.name.toString()
        if (!isUtf8(entry.name)) {
          const problem = pathProblem(entryPath, "is not UTF-8", !entry.isFile())
          return found.problems.push(problem)
        }
        if (entry.isDirectory()) return folders.push(entryPath)
        return atOnce(() => readEntry(entry, top, entryPath, found))
      })
    await Promise.all(jobs)
  }
  found.files.sort((a, b) => compareText(a.path, b.path))
  found.links.sort((a, b) => compareText(a.path, b.path))
  return found
}

/** A folder with links resolved. Throws UsageError `git/folder-missing` when it cannot be read as one. */
export async function realFolder(folder: string): Promise<string> {
  try {
    const real = await realpath(folder)
    await readdir(real)
    return real
  } catch (cause) {
    throw new UsageError("git/folder-missing", `the source path ${folder} cannot be read as a folder`, {
      hint: "Give an existing folder that this user may read.",
      cause,
    })
  }
}

function isGit(entry: Dirent<Buffer>): boolean {
  return entry.name.toString("latin1") === ".git"
}

async function readEntry(
  entry: Dirent<Buffer>,
  top: string,
  path: string,
  found: FolderEntries,
): Promise<void> {
  const place = join(top, path)
  if (entry.isSymbolicLink()) {
    const target = await readlink(place).catch((error: unknown) => {
      throw fileChanged(place, error)
    })
    found.links.push({ path, target })
    return
  }
  if (!entry.isFile()) {
    found.problems.push(specialFileProblem(path))
    return
  }
  const { content, executable } = await readWhole(place)
  if (isLfsPointer(content)) {
    found.problems.push(lfsProblem(path))
    return
  }
  const oid = contentId(content)
  found.places.set(oid, place)
  found.files.push({ path, oid, size: content.length, executable })
}

/** Content and mode through one descriptor, so that both are of one file. */
async function readWhole(place: string): Promise<{ content: Buffer; executable: boolean }> {
  try {
    return await withOpenFile(place, "r", async (file) => {
      const { mode } = await file.stat()
      return { content: await file.readFile(), executable: (mode & OWNER_MAY_EXECUTE) !== 0 }
    })
  } catch (cause) {
    throw fileChanged(place, cause)
  }
}
