import { sha256 } from "@headrace/shared/foundation/digest"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { Tree, TreeFile, TreeProblem } from "@headrace/shared/foundation/tree"
import type { SourceRepository } from "@headrace/shared/git/source-repository"
import type { ProjectedFile } from "./projected-files.ts"

/** Bytes of blobs read at once to learn their digests: what comes through the pipe meanwhile is held three times over. */
const BATCH_BYTES = 1024 * 1024

export interface GitSelection {
  /** Only files at or under these; undefined: all. */
  paths?: readonly string[] | undefined
  /** Folder that is left out of the names; files elsewhere are left out whole. */
  strip?: string | undefined
  /** Bytes that a file may have; undefined: as many as there are. */
  mostBytes?: number | undefined
}

/** Blob id to sha256 of its content, of the last commit: a commit costs the blobs that are new. */
export type KnownBlobs = Map<string, string>

/** The files of a tree that a git source shows, by their names below `strip`. Pure. */
export function selectFiles(
  files: readonly TreeFile[],
  { paths, strip }: GitSelection,
): { file: TreeFile; name: string }[] {
  const below = strip === undefined ? "" : `${trimmed(strip)}/`
  const wanted = paths?.map(trimmed)
  return files
    .filter(
      ({ path }) =>
        wanted === undefined || wanted.some((each) => path === each || path.startsWith(`${each}/`)),
    )
    .filter(({ path }) => path.startsWith(below))
    .map((file) => ({ file, name: file.path.slice(below.length) }))
}

/**
 * What is not known of the part of a tree that a git source shows: links that do not resolve, submodules, Git LFS
 * pointers, names that are not UTF-8. Also a path above the selected ones, when files may lie beneath it. Pure.
 */
export function selectProblems(
  problems: readonly TreeProblem[],
  { paths, strip }: GitSelection,
): TreeProblem[] {
  const wanted = paths?.map(trimmed)
  const below = strip === undefined ? [] : [trimmed(strip)]
  return problems.filter(
    (problem) =>
      (wanted === undefined || wanted.some((folder) => concerns(problem, folder))) &&
      below.every((folder) => concerns(problem, folder)),
  )
}

function concerns({ file, beneath }: TreeProblem, folder: string): boolean {
  if (folder === "" || file === folder || file.startsWith(`${folder}/`)) return true
  return beneath && folder.startsWith(`${file}/`)
}

/** How the files of a source are read. */
export interface GitReading {
  /** Becomes what this commit knows. */
  known: KnownBlobs
  /** Called with the bytes of contents that are read next, and dropped at once. */
  onRead?: ((bytes: number) => void) | undefined
}

/** A commit's selected files, contents to be read later. Throws `git/…`. */
export async function gitFiles(
  repository: Pick<SourceRepository, "blobs">,
  { commit, tree }: { commit: string; tree: Tree },
  selection: GitSelection,
  { known, onRead }: GitReading,
  signal: AbortSignal,
): Promise<ProjectedFile[]> {
  async function contentsOf(files: readonly TreeFile[]): Promise<Buffer[]> {
    // Before, while those read last are garbage: a large file would else be there twice.
    onRead?.(files.reduce((sum, { size }) => sum + size, 0))
    return await repository.blobs(
      files.map(({ oid }) => oid),
      signal,
    )
  }

  const selected = selectFiles(tree.files, selection)
  checkSizes(selected, selection.mostBytes)
  for (const batch of batches(selected.map(({ file }) => file).filter(({ oid }) => !known.has(oid)))) {
    const contents = await contentsOf(batch)
    for (const [at, { oid }] of batch.entries()) known.set(oid, sha256(contents[at] ?? ""))
  }
  forgetOthers(known, selected)
  return selected.map(({ file, name }) => ({
    path: name,
    mode: file.executable ? 0o555 : 0o444,
    size: file.size,
    sha256: known.get(file.oid) ?? "",
    origin: `commit ${commit.slice(0, 12)}, ${file.path}`,
    async read() {
      const [content] = await contentsOf([file])
      return content ?? Buffer.alloc(0)
    },
  }))
}

/** By the sizes that the tree has; nothing was read. */
function checkSizes(selected: readonly { file: TreeFile }[], most: number | undefined): void {
  const large = selected.find(({ file }) => most !== undefined && file.size > most)
  if (large === undefined) return
  const { path, size } = large.file
  throw new HeadraceError("git/file-too-large", `${path} has ${size} bytes, and bounds.file is ${most}`, {
    hint: "Make it smaller, leave it out of paths, or raise bounds.file; what is published stays.",
  })
}

/** What a long-lived agent has seen of a busy branch would else grow for ever. */
function forgetOthers(known: KnownBlobs, selected: readonly { file: TreeFile }[]): void {
  const present = new Set(selected.map(({ file }) => file.oid))
  for (const oid of known.keys()) if (!present.has(oid)) known.delete(oid)
}

function* batches(files: readonly TreeFile[]): Generator<TreeFile[]> {
  let batch: TreeFile[] = []
  let bytes = 0
  for (const file of files) {
    batch.push(file)
    bytes += file.size
    if (bytes < BATCH_BYTES) continue
    yield batch
    batch = []
    bytes = 0
  }
  if (batch.length > 0) yield batch
}

function trimmed(path: string): string {
  return path.replace(/^\/+|\/+$/g, "")
}
