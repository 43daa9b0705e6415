import { isUtf8 } from "node:buffer"
import type { FoundObject } from "../objects/batch-parser.ts"
import { compareTreeObjects, type ObjectEntry } from "./compare-tree-objects.ts"
import { LONGEST_PATH, type TreeEntry } from "./raw-tree.ts"

/** The mode of a path that is not there any more, as `git diff-tree` prints it. */
export const DELETED = "000000"
const FOLDER = "040000"
/** Beyond so many paths and folders, listing the whole tree is as cheap. */
const MOST_CHANGES = 10_000

/** Reads objects by their ids; undefined: the repository lacks it. */
export type ReadObjects = (oids: readonly string[]) => Promise<readonly (FoundObject | undefined)[]>

/** A folder, or what is in its place; undefined: it is not there. */
interface FolderPair {
  path: string
  before: string | undefined
  after: string | undefined
}

/**
 * The paths that differ between two commits or trees, as `git diff-tree -r` gives them, by the tree objects that differ: folders
 * with one id are not read. In this process, since to fork it takes longer the more memory it has. Undefined where listing is the
 * better way: too many differences, a name that is not UTF-8, an object that is not there.
 */
export async function changedEntries(
  before: string,
  after: string,
  read: ReadObjects,
): Promise<TreeEntry[] | undefined> {
  const roots = (await read([before, after])).map(treeOf)
  if (roots.includes(undefined)) return undefined
  const changed: TreeEntry[] = []
  let folders: FolderPair[] = [{ path: "", before: roots[0], after: roots[1] }]
  while (folders.length > 0) {
    const objects = await readFolders(folders, read)
    if (objects === undefined) return undefined
    const below = compareFolders(folders, objects, changed)
    if (below === undefined) return undefined
    folders = below
  }
  const paths = changed.map(({ path }) => Buffer.from(path, "latin1"))
  if (!paths.every(isUtf8)) return undefined
  return changed.map((entry, index) => ({ ...entry, path: paths[index]?.toString("utf8") ?? "" }))
}

/** The tree of a commit, by its first line, or a tree itself. */
function treeOf(object: FoundObject | undefined): string | undefined {
  if (object?.type === "tree") return object.oid
  return object?.type === "commit"
    ? /^tree ([0-9a-f]+)\n/.exec(object.content.toString("latin1", 0, 80))?.[1]
    : undefined
}

async function readFolders(
  folders: readonly FolderPair[],
  read: ReadObjects,
): Promise<ReadonlyMap<string, Buffer> | undefined> {
  const oids = [...new Set(folders.flatMap(({ before, after }) => [before, after]))].filter(
    (oid) => oid !== undefined,
  )
  const found = await read(oids)
  const trees = found.flatMap((object) => (object?.type === "tree" ? object : []))
  return trees.length < oids.length ? undefined : new Map(trees.map(({ oid, content }) => [oid, content]))
}

/** Undefined where listing is the better way. */
function compareFolders(
  folders: readonly FolderPair[],
  objects: ReadonlyMap<string, Buffer>,
  changed: TreeEntry[],
): FolderPair[] | undefined {
  const below: FolderPair[] = []
  for (const pair of folders) {
    for (const next of compareFolder(pair, objects, changed)) below.push(next)
    // After each one: ten thousand folders may be one that names ten thousand others.
    if (changed.length + below.length > MOST_CHANGES) return undefined
  }
  // Each path below a folder repeats its name, which may have megabytes.
  const isReadable = ({ path }: FolderPair) =>
    path.length <= LONGEST_PATH && isUtf8(Buffer.from(path, "latin1"))
  return below.every(isReadable) ? below : undefined
}

/** Notes the files of a folder that differ; gives the folders in it that do. Paths are bytes as Latin-1. */
function compareFolder(
  { path, before, after }: FolderPair,
  objects: ReadonlyMap<string, Buffer>,
  changed: TreeEntry[],
): FolderPair[] {
  const contentOf = (oid = "") => objects.get(oid) ?? Buffer.alloc(0)
  const idBytes = (before ?? after ?? "").length / 2
  return compareTreeObjects(contentOf(before), contentOf(after), idBytes).flatMap(
    ({ before: old, after: now }) => {
      const at = `${path}${now?.name ?? old?.name}`
      if (now && !isFolder(now)) changed.push({ path: at, mode: now.mode, oid: now.oid, size: undefined })
      else if (old && !isFolder(old)) changed.push({ path: at, mode: DELETED, oid: old.oid, size: undefined })
      const folder = { path: `${at}/`, before: folderOf(old), after: folderOf(now) }
      return folder.before === undefined && folder.after === undefined ? [] : [folder]
    },
  )
}

function folderOf(entry: ObjectEntry | undefined): string | undefined {
  return entry && isFolder(entry) ? entry.oid : undefined
}

function isFolder({ mode }: ObjectEntry): boolean {
  return mode === FOLDER
}
