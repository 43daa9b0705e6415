import { hasCode } from "../../foundation/errors.ts"
import type { Tree } from "../../foundation/tree.ts"
import { resolveLinks } from "../links/resolve-links.ts"
import type { ObjectSource } from "./admit-entries.ts"
import type { ReadObjects } from "./changed-entries.ts"
import { deriveTree } from "./derive-tree.ts"
import { listTree } from "./list-tree.ts"
import type { RawTree } from "./raw-tree.ts"

interface CachedTree {
  commit: string
  raw: RawTree
  tree: Tree
}

/** Trees share their unchanged files, so that each costs little more than an array. */
const MOST_TREES = 8

/** The trees of recent commits: a new one is derived from the one asked for last, where there is one. */
export class TreeCache {
  readonly #gitDir: string
  readonly #source: ObjectSource & { objects: ReadObjects }
  /** Least recently asked for first. */
  readonly #trees = new Map<string, Promise<CachedTree>>()

  constructor(gitDir: string, source: ObjectSource & { objects: ReadObjects }) {
    this.#gitDir = gitDir
    this.#source = source
  }

  /** All files at a commit or of a tree object (40 or 64 hex digits). Concurrent callers share the work. Throws `git/…`. */
  async get(commit: string): Promise<Tree> {
    const pending = this.#trees.get(commit) ?? this.#load(commit)
    this.#trees.delete(commit)
    this.#trees.set(commit, pending)
    for (const oldest of this.#trees.keys()) {
      if (this.#trees.size <= MOST_TREES) break
      this.#trees.delete(oldest)
    }
    return pending.then(
      ({ tree }) => tree,
      (error: unknown) => {
        if (this.#trees.get(commit) === pending) this.#trees.delete(commit)
        throw error
      },
    )
  }

  async #load(commit: string): Promise<CachedTree> {
    const raw = (await this.#derive(commit)) ?? (await listTree(this.#gitDir, commit, this.#source))
    return { commit, raw, tree: resolveLinks(raw) }
  }

  async #derive(commit: string): Promise<RawTree | undefined> {
    const neighbour = await [...this.#trees.values()].at(-1)?.catch(() => undefined)
    if (neighbour === undefined) return undefined
    try {
      return await deriveTree(neighbour, commit, this.#source)
    } catch (error) {
      // A listing says what is wrong, if anything is.
      if (hasCode(error, "git/damaged") || hasCode(error, "git/failed")) return undefined
      throw error
    }
  }
}
