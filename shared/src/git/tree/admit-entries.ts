import { compareText } from "../../foundation/canonical-json.ts"
import { HeadraceError } from "../../foundation/errors.ts"
import type { TreeFile, TreeProblem } from "../../foundation/tree.ts"
import { isLfsPointer, mayBeLfsPointer } from "../lfs-pointer.ts"
import type { TreeLink } from "../links/follow-link.ts"
import { absentProblem, lfsProblem, pathProblem, submoduleProblem } from "../tree-problems.ts"
import type { ParsedEntries } from "./parse-entries.ts"
import { LONGEST_PATH, type RawTree, type TreeEntry } from "./raw-tree.ts"

/** Reads objects of the mirror. Both throw `git/missing-object`. */
export interface ObjectSource {
  contents(oids: readonly string[]): Promise<Buffer[]>
  sizes(oids: readonly string[]): Promise<number[]>
  /** Called with files whose sizes git has just given. */
  sized?(files: readonly Pick<TreeFile, "oid" | "size">[]): void
  /** Files that a commit may have; absent: as many as there are. */
  mostFiles?: number
  /** Those of these blobs that the repository lacks; only of one that may: a partial clone. */
  lacking?(oids: readonly string[]): Promise<ReadonlySet<string>>
}

const LINK = "120000"
const SUBMODULE = "160000"
const OWNER_MAY_EXECUTE = 0o100

/**
 * Sorts entries into files, links and problems, reading what only contents show: sizes that git did not
 * print, the targets of links, and LFS pointers. A pointer is one by its content alone: `.gitattributes` may lack its
 * path, or name it through a macro.
 */
export async function admitEntries(parsed: ParsedEntries, source: ObjectSource): Promise<RawTree> {
  const problems: TreeProblem[] = []
  let good: TreeEntry[] = []
  for (const entry of parsed.entries) {
    const reason = parsed.unreadable.has(entry.path) ? "is not UTF-8" : badParts(entry.path)
    if (reason !== undefined) problems.push(pathProblem(entry.path, reason, mayHoldMore(entry)))
    else if (entry.mode === SUBMODULE) problems.push(submoduleProblem(entry.path))
    else good.push(entry)
  }
  const lacking = (await source.lacking?.(good.map(({ oid }) => oid))) ?? new Set()
  for (const entry of good)
    if (lacking.has(entry.oid)) problems.push(absentProblem(entry.path, mayHoldMore(entry)))
  if (lacking.size > 0) good = good.filter(({ oid }) => !lacking.has(oid))
  const links = await readLinks(
    good.filter((entry) => entry.mode === LINK),
    source,
  )
  const files = await sizedFiles(
    good.filter((entry) => entry.mode !== LINK),
    source,
  )
  source.sized?.(files)
  const pointers = await findPointers(files, source)
  for (const path of pointers) problems.push(lfsProblem(path))
  return {
    files: inPathOrder(files.filter((file) => !pointers.has(file.path))),
    links: inPathOrder(links),
    problems: inPathOrder(problems, "file"),
  }
}

function mayHoldMore({ mode }: TreeEntry): boolean {
  return mode === LINK || mode === SUBMODULE
}

async function readLinks(entries: readonly TreeEntry[], source: ObjectSource): Promise<TreeLink[]> {
  const sizes = await source.sizes(entries.map((entry) => entry.oid))
  const short = entries.filter((_, index) => (sizes[index] ?? 0) <= LONGEST_PATH)
  const contents = await source.contents(short.map((entry) => entry.oid))
  const targets = new Map(short.map(({ path }, index) => [path, contents[index]?.toString("utf8")]))
  // What is too long for a path dangles, and is not read.
  return entries.map(({ path }) => ({ path, target: targets.get(path) ?? "" }))
}

async function sizedFiles(entries: readonly TreeEntry[], source: ObjectSource): Promise<TreeFile[]> {
  const unsized = entries.filter((entry) => entry.size === undefined)
  const sizes = await source.sizes(unsized.map((entry) => entry.oid))
  const known = new Map(unsized.map((entry, index) => [entry.oid, sizes[index]]))
  return entries.map(({ path, mode, oid, size = known.get(oid) }) => {
    if (size === undefined) throw new HeadraceError("git/missing-object", `${path} (${oid}) has no size`)
    return { path, oid, size, executable: (Number.parseInt(mode, 8) & OWNER_MAY_EXECUTE) !== 0 }
  })
}

async function findPointers(files: readonly TreeFile[], source: ObjectSource): Promise<Set<string>> {
  const small = files.filter((file) => mayBeLfsPointer(file.size))
  const contents = await source.contents(small.map((file) => file.oid))
  return new Set(
    small.filter((_, index) => isLfsPointer(contents[index] ?? Buffer.alloc(0))).map((file) => file.path),
  )
}

/** Git's porcelain makes no such trees, but a crafted one may hold them. */
function badParts(path: string): string | undefined {
  if (path.length > LONGEST_PATH) return `has more than ${LONGEST_PATH} characters`
  if (!/(^|\/)(\.{0,2}|\.git)(\/|$)/i.test(path)) return undefined
  return "has a part that is empty, ., .. or .git"
}

function inPathOrder<T, K extends keyof T>(items: readonly T[], key: K = "path" as K): T[] {
  return items.toSorted((a, b) => compareText(String(a[key]), String(b[key])))
}

/** Throws `git/too-many-files`. */
export function checkCount(commit: string, count: number, most: number | undefined): void {
  if (most === undefined || count <= most) return
  throw tooManyFiles(commit, `${most} files`)
}

export function tooManyFiles(commit: string, most: string): HeadraceError {
  return new HeadraceError("git/too-many-files", `commit ${commit.slice(0, 12)} has more than ${most}`, {
    hint: "Remove them from the branch, or raise bounds.files.",
  })
}
