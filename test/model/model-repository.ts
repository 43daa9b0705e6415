import { createHash } from "node:crypto"
import type { Tree } from "@headrace/shared/foundation/tree"
import type { SourceRepository } from "@headrace/shared/git/source-repository"

/** Path to content; a value `-> PATH` is a symbolic link to that path. */
export type Files = ReadonlyMap<string, string>

interface Commit {
  id: string
  parents: readonly string[]
  files: Files
  /** This commit and all its ancestors. */
  history: ReadonlySet<string>
}

/** A git repository in memory: commits, parents, one branch. What reconcile sees of git, and nothing else. */
export interface ModelRepository extends SourceRepository {
  tip(): string
  /** True when the branch has been at this commit. */
  wasTip(commit: string): boolean
  filesAt(commit: string): Files
  parentsOf(commit: string): readonly string[]
  hasAncestor(commit: string, ancestor: string): boolean
  /** How many commits there are up to and with this one. */
  countOf(commit: string): number
  /** A commit with these parents, first parent first; the branch stays where it is. */
  add(parents: readonly string[], files: Files): string
  /** Moves the branch, wherever to. */
  push(commit: string): void
}

export function modelRepository(first: Files): ModelRepository {
  const commits = new Map<string, Commit>()
  const blobs = new Map<string, Buffer>()
  let branch = add([], first)
  const tips = new Set([branch])

  function add(parents: readonly string[], files: Files): string {
    const id = createHash("sha1")
      .update(`commit ${commits.size} ${parents.join(" ")}`)
      .digest("hex")
    const history = new Set([id, ...parents.flatMap((parent) => [...at(parent).history])])
    commits.set(id, { id, parents, files, history })
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
    const files = [...resolved(at(id).files)].sort(([a], [b]) => (a < b ? -1 : 1))
    return {
      files: files.map(([path, content]) => ({
        path,
        oid: blob(content),
        size: Buffer.byteLength(content),
        executable: false,
      })),
      problems: [],
    }
  }

  return {
    tip: () => branch,
    filesAt: (commit) => resolved(at(commit).files),
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
      const content = resolved(at(commit).files).get(path)
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

/** Links replaced by what they point to; a dangling one is left out. */
function resolved(files: Files): Files {
  const result = new Map<string, string>()
  for (const [path, content] of files) {
    const target = content.startsWith("-> ") ? files.get(content.slice(3)) : content
    if (target !== undefined && !target.startsWith("-> ")) result.set(path, target)
  }
  return result
}
