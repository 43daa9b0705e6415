import { createHash } from "node:crypto"
import type { Tree } from "@headrace/shared/foundation/tree"
import { resolveLinks } from "@headrace/shared/git/links/resolve-links"
import type { SourceRepository } from "@headrace/shared/git/source-repository"
import { lfsProblem } from "@headrace/shared/git/tree-problems"

/** Path to content; a value `-> PATH` is a symbolic link to that path, `POINTER` a Git LFS pointer. */
export type Files = ReadonlyMap<string, string>

/** In place of a content that is not in git. */
export const POINTER = "(a Git LFS pointer)"

/** A path whose content is not known. */
export interface BrokenPath {
  path: string
  /** True when files may have been beneath it: a link that dangles may have led to a folder. */
  beneath: boolean
}

interface Commit {
  id: string
  parents: readonly string[]
  files: Files
  /** This commit and all its ancestors. */
  history: ReadonlySet<string>
  /** Minutes by its committer's clock, which may be behind its parents'. */
  date: number
}

/** A git repository in memory: commits, parents, one branch. What reconcile sees of git, and nothing else. */
export interface ModelRepository extends SourceRepository {
  tip(): string
  /** True when the branch has been at this commit. */
  wasTip(commit: string): boolean
  /** The contents at a commit: links followed, without what is not known. */
  filesAt(commit: string): Files
  /** The same as it was committed. */
  rawAt(commit: string): Files
  brokenAt(commit: string): readonly BrokenPath[]
  dateOf(commit: string): number
  parentsOf(commit: string): readonly string[]
  hasAncestor(commit: string, ancestor: string): boolean
  /** How many commits there are up to and with this one. */
  countOf(commit: string): number
  /** A commit with these parents, first parent first, by a clock so many minutes behind; the branch stays where it is. */
  add(parents: readonly string[], files: Files, behind?: number): string
  /** Moves the branch, wherever to. */
  push(commit: string): void
}

export function modelRepository(first: Files): ModelRepository {
  const commits = new Map<string, Commit>()
  const blobs = new Map<string, Buffer>()
  let branch = add([], first)
  const tips = new Set([branch])

  function add(parents: readonly string[], files: Files, behind = 0): string {
    const id = createHash("sha1")
      .update(`commit ${commits.size} ${parents.join(" ")}`)
      .digest("hex")
    const history = new Set([id, ...parents.flatMap((parent) => [...at(parent).history])])
    commits.set(id, { id, parents, files, history, date: commits.size - behind })
    return id
  }
  function at(id: string): Commit {
    const commit = commits.get(id)
    if (commit === undefined) throw new Error(`the model has no commit ${id}`)
    return commit
  }
  function blob(content: string): string {
    const bytes = Buffer.from(content)
    const oid = createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex")
    blobs.set(oid, bytes)
    return oid
  }
  const trees = new Map<string, Tree>()
  function treeAt(id: string): Tree {
    const entries = [...at(id).files].sort(([a], [b]) => (a < b ? -1 : 1))
    const files = entries.filter(([, content]) => linkOf(content) === undefined && content !== POINTER)
    return resolveLinks({
      files: files.map(([path, content]) => ({
        path,
        oid: blob(content),
        size: Buffer.byteLength(content),
        executable: false,
      })),
      links: entries.flatMap(([path, content]) => {
        const target = linkOf(content)
        return target === undefined ? [] : [{ path, target: relative(path, target) }]
      }),
      problems: entries.filter(([, content]) => content === POINTER).map(([path]) => lfsProblem(path)),
    })
  }

  return {
    tip: () => branch,
    filesAt: (commit) => resolved(at(commit).files).files,
    rawAt: (commit) => at(commit).files,
    brokenAt: (commit) => resolved(at(commit).files).broken,
    dateOf: (commit) => at(commit).date,
    parentsOf: (commit) => at(commit).parents,
    hasAncestor: (commit, ancestor) => at(commit).history.has(ancestor),
    countOf: (commit) => at(commit).history.size,
    add,
    wasTip: (commit) => tips.has(commit),
    push(commit) {
      branch = at(commit).id
      tips.add(branch)
    },
    async fetch() {
      return { commit: branch, seq: at(branch).history.size }
    },
    async seqOf(commit) {
      return commits.get(commit)?.history.size
    },
    // A second after the one before.
    timeOf: async (commit) => (commits.get(commit)?.history.size ?? 0) * 1000,
    keep: async (commit) => commits.has(commit),
    async contains(commit, ancestor) {
      return commits.get(commit)?.history.has(ancestor) ?? false
    },
    // Its commits have no messages.
    mergeOf: async () => undefined,
    abbreviated: async () => [],
    async tree(commit) {
      const tree = trees.get(commit) ?? treeAt(commit)
      trees.set(commit, tree)
      return tree
    },
    async file(commit, path) {
      const content = resolved(at(commit).files).files.get(path)
      return content === undefined ? undefined : Buffer.from(content)
    },
    async blobs(oids) {
      return oids.map((oid) => {
        const content = blobs.get(oid)
        if (content === undefined) throw new Error(`the model has no blob ${oid}`)
        return content
      })
    },
  }
}

interface Resolved {
  files: Files
  broken: readonly BrokenPath[]
}

const RESOLVED = new WeakMap<Files, Resolved>()

/** Links replaced by what they point to, and the paths whose content is not known. */
function resolved(files: Files): Resolved {
  const known = RESOLVED.get(files) ?? resolve(files)
  RESOLVED.set(files, known)
  return known
}

function resolve(files: Files): Resolved {
  const known = new Map<string, string>()
  const broken: BrokenPath[] = []
  for (const [path, content] of files) {
    const target = linkOf(content)
    const found = target === undefined ? content : files.get(target)
    if (found === undefined || linkOf(found) !== undefined) broken.push({ path, beneath: true })
    else if (found === POINTER) broken.push({ path, beneath: false })
    else known.set(path, found)
  }
  return { files: known, broken }
}

/** The path that a link names, from the top of the tree. */
function linkOf(content: string): string | undefined {
  return content.startsWith("-> ") ? content.slice(3) : undefined
}

function relative(from: string, to: string): string {
  return `${"../".repeat(from.split("/").length - 1)}${to}`
}
