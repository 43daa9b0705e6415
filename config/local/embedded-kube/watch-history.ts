import type { KubeObject } from "./kube-object.ts"
import type { Matcher } from "./selectors.ts"

/** One write: `before` absent for a create, `after` absent for a delete. */
export interface Change {
  resourceVersion: number
  before: KubeObject | undefined
  after: KubeObject | undefined
}

/** What a watcher receives. */
export interface ObjectEvent {
  type: "ADDED" | "MODIFIED" | "DELETED"
  object: KubeObject
}

type Listener = (change: Change) => void

/** The latest changes of one kind, as many as the window holds, and those who listen for more. */
export class WatchHistory {
  readonly #limit: number
  readonly #changes: Change[] = []
  readonly #listeners = new Set<Listener>()
  /** The newest change that has left the window: who knows less must list again. */
  #forgotten: number

  constructor(limit: number, resourceVersion: number) {
    this.#limit = limit
    this.#forgotten = resourceVersion
  }

  add(change: Change): void {
    this.#changes.push(change)
    while (this.#changes.length > this.#limit)
      this.#forgotten = this.#changes.shift()?.resourceVersion ?? this.#forgotten
    for (const listener of [...this.#listeners]) listener(change)
  }

  /** Changes after a version; undefined when some of them have left the window. */
  since(resourceVersion: number): readonly Change[] | undefined {
    if (resourceVersion < this.#forgotten) return undefined
    return this.#changes.filter((change) => change.resourceVersion > resourceVersion)
  }

  /** Forgets all changes up to a version, as a restarted API server has. */
  forget(resourceVersion: number): void {
    this.#forgotten = resourceVersion
    this.#changes.length = 0
  }

  /** Gives the function that ends it. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}

/**
 * A change as one with a selector sees it: an object that begins to match is ADDED, one that ceases is
 * DELETED in its last matching state, under the version of the change. Undefined: not its business.
 */
export function eventFor(change: Change, matches: Matcher): ObjectEvent | undefined {
  const was = change.before !== undefined && matches(change.before)
  const is = change.after !== undefined && matches(change.after)
  if (is && change.after) return { type: was ? "MODIFIED" : "ADDED", object: change.after }
  if (!was || !change.before) return undefined
  const metadata = { ...change.before.metadata, resourceVersion: String(change.resourceVersion) }
  return { type: "DELETED", object: { ...change.before, metadata } }
}
