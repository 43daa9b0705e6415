import { compareText } from "../foundation/canonical-json.ts"
import { editSorted, findSorted } from "../foundation/sorted-list.ts"
import { illegalKey } from "./legal-name.ts"
import type { PlannedKey } from "./plan.ts"

/** A key that several files give. */
export interface ContestedKey {
  key: string
  /** In path order: the last one is the one written. */
  claims: readonly PlannedKey[]
}

/** The keys that files give a content, with what judging them needs. */
export interface GivenKeys {
  /** In key order, each key once. */
  keys: readonly PlannedKey[]
  /** In key order. */
  contested: readonly ContestedKey[]
  /** Those of `keys` that Kubernetes refuses. */
  illegal: readonly PlannedKey[]
  /** Bytes of the values that are not compressed. */
  plainBytes: number
}

export const NO_KEYS: GivenKeys = { keys: [], contested: [], illegal: [], plainBytes: 0 }

/** What a change of files does to a content. A file that stays and has other content is in both. */
export interface KeyEdits {
  removed: readonly PlannedKey[]
  added: readonly PlannedKey[]
}

/**
 * The keys after a change of files. Of several files for one key the last in path order wins, so that the outcome depends
 * on the files alone, and on no order of changes. Pure.
 */
export function editKeys(given: GivenKeys, { removed, added }: KeyEdits): GivenKeys {
  const gone = Map.groupBy(removed, keyOf)
  const come = Map.groupBy(added, keyOf)
  const names = [...new Set([...gone.keys(), ...come.keys()])].sort(compareText)
  const edited = names.map((key) => {
    const paths = new Set(gone.get(key)?.map(({ file }) => file.path))
    const stay = claimsOf(given, key).filter(({ file }) => !paths.has(file.path))
    return { key, claims: [...stay, ...(come.get(key) ?? [])].sort(byPath) }
  })
  const losers = names.flatMap((key) => findSorted(given.keys, keyOf, key) ?? [])
  const winners = edited.flatMap(({ claims }) => claims.at(-1) ?? [])
  const contested = edited.filter(({ claims }) => claims.length > 1)
  const illegal = winners.filter(({ key }) => illegalKey(key) !== undefined)
  return {
    keys: editSorted(given.keys, keyOf, names, winners),
    contested: editSorted(given.contested, keyOf, names, contested),
    illegal: editSorted(given.illegal, keyOf, names, illegal),
    plainBytes: given.plainBytes - plainBytes(losers) + plainBytes(winners),
  }
}

export function keyOf({ key }: { key: string }): string {
  return key
}

function claimsOf({ keys, contested }: GivenKeys, key: string): readonly PlannedKey[] {
  const several = findSorted(contested, keyOf, key)?.claims
  if (several) return several
  const only = findSorted(keys, keyOf, key)
  return only ? [only] : []
}

function byPath(a: PlannedKey, b: PlannedKey): number {
  return compareText(a.file.path, b.file.path)
}

function plainBytes(keys: readonly PlannedKey[]): number {
  return keys.reduce((bytes, { file, gzip }) => (gzip ? bytes : bytes + file.size), 0)
}
