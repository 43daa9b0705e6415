import type { Files } from "../model/model-repository.ts"
import type { Site } from "./site.ts"

/** A commit's changes: path to content; undefined: the file is deleted. */
type Changes = { readonly [path: string]: string | undefined }

/** A merge that is perturbed, between what was shown before and what is merged next. */
export interface Merge {
  name: string
  /** Each is shown before the next. */
  before: readonly Changes[]
  changes: Changes
  /** Takes half of it back: what a run that did not end has left is then in no difference between two plans. */
  next: Changes
}

/** The first one makes a record; the other changes, adds and deletes keys, and restores an earlier content. */
export const MERGES: readonly Merge[] = [
  {
    name: "the first merge",
    before: [],
    changes: { "a/0.txt": "v2" },
    next: { "a/0.txt": "v0", "b/0.txt": "v0" },
  },
  {
    name: "a merge",
    before: [{}, { "a/0.txt": "v1" }],
    changes: { "a/0.txt": "v0", "a/2.txt": "v2", "b/0.txt": "v3", "b/1.txt": undefined },
    next: { "a/0.txt": "v1", "a/2.txt": undefined, "b/1.txt": "v1" },
  },
]

/** Moves the branch on by one commit. */
export function pushChanges({ simulation }: Site, changes: Changes): void {
  const { release } = simulation.repositories
  release.push(release.add([release.tip()], changed(release.filesAt(release.tip()), changes)))
}

function changed(files: Files, changes: Changes): Files {
  const next = new Map(files)
  for (const [path, content] of Object.entries(changes)) {
    if (content === undefined) next.delete(path)
    else next.set(path, content)
  }
  return next
}
