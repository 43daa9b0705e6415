import { compareText } from "../foundation/canonical-json.ts"
import type { PlannedKey } from "./plan.ts"

/** Several files that give one key of one target, in path order: the last one is the one written. */
export interface KeyCollision {
  key: string
  paths: string[]
}

/**
 * The keys of a target from the files that rules give it, in key order. Of several files for one key the last
 * in path order wins, so that the outcome depends on the tree alone.
 */
export function mergeKeys(given: readonly (readonly PlannedKey[])[]): {
  keys: PlannedKey[]
  collisions: KeyCollision[]
} {
  const winners = new Map<string, PlannedKey>()
  const contested = new Map<string, string[]>()
  for (const planned of given.flat()) {
    const other = winners.get(planned.key)
    if (!other) {
      winners.set(planned.key, planned)
      continue
    }
    const paths = contested.get(planned.key) ?? [other.file.path]
    paths.push(planned.file.path)
    contested.set(planned.key, paths)
    if (compareText(planned.file.path, other.file.path) > 0) winners.set(planned.key, planned)
  }
  return {
    keys: [...winners.values()].sort((a, b) => compareText(a.key, b.key)),
    collisions: [...contested]
      .sort(([a], [b]) => compareText(a, b))
      .map(([key, paths]) => ({ key, paths: paths.sort(compareText) })),
  }
}
