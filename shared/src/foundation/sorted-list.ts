import { compareText } from "./canonical-json.ts"

// A list that does not change, in code-unit order of a text that each item has. Most of a tree stays as it is from one commit
// to the next, so that what is done here costs as much as what differs: items that both lists share are neither compared nor
// copied one by one.

/** The text that gives an item its place. */
type KeyOf<Item> = (item: Item) => string

/** The first index from `from` on whose key is not before `key`. */
export function lowerBound<Item>(items: readonly Item[], keyOf: KeyOf<Item>, key: string, from = 0): number {
  let low = from
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const item = items[middle]
    if (item !== undefined && keyOf(item) < key) low = middle + 1
    else high = middle
  }
  return low
}

/** The first item of exactly this key. */
export function findSorted<Item>(items: readonly Item[], keyOf: KeyOf<Item>, key: string): Item | undefined {
  const item = items[lowerBound(items, keyOf, key)]
  return item !== undefined && keyOf(item) === key ? item : undefined
}

/** What two lists have under one key; undefined: nothing. */
export interface Difference<Item> {
  before: Item | undefined
  after: Item | undefined
}

/**
 * What two lists of unique keys do not have in common, in key order. Items that are one object are the same; others of one
 * key are compared by `isSame`.
 */
export function compareSorted<Item>(
  before: readonly Item[],
  after: readonly Item[],
  keyOf: KeyOf<Item>,
  isSame: (one: Item, other: Item) => boolean,
): Difference<Item>[] {
  const differences: Difference<Item>[] = []
  if (before === after) return differences
  let [at, next] = [0, 0]
  while (at < before.length || next < after.length) {
    const shared = sharedFrom(before, at, after, next)
    const first = firstOf(before[at + shared], after[next + shared], keyOf)
    at += shared + (first.before ? 1 : 0)
    next += shared + (first.after ? 1 : 0)
    if (!first.before && !first.after) break
    if (!first.before || !first.after || !isSame(first.before, first.after)) differences.push(first)
  }
  return differences
}

/** Of two items the one whose key is first, or both where it is one key. */
function firstOf<Item>(
  before: Item | undefined,
  after: Item | undefined,
  keyOf: KeyOf<Item>,
): Difference<Item> {
  if (before === undefined || after === undefined) return { before, after }
  const order = compareText(keyOf(before), keyOf(after))
  return { before: order <= 0 ? before : undefined, after: order >= 0 ? after : undefined }
}

/** How many items from these two places on are the same objects. A loop of its own, which V8 compiles to a comparison of words. */
function sharedFrom<Item>(before: readonly Item[], at: number, after: readonly Item[], next: number): number {
  const most = Math.min(before.length - at, after.length - next)
  let shared = 0
  while (shared < most && before[at + shared] === after[next + shared]) shared += 1
  return shared
}

/** So few edits are made in one copy of the list, each by moving what is behind it. */
const FEW_EDITS = 16
/** Beyond so many pieces V8 has no room for them as arguments of one call. */
const MOST_ARGUMENTS = 10_000

/** `items` without those of the keys `removed`, and with `added`, each after others of its key. */
export function editSorted<Item>(
  items: readonly Item[],
  keyOf: KeyOf<Item>,
  removed: readonly string[],
  added: readonly Item[],
): readonly Item[] {
  const edits = [
    ...removed.map((key) => ({ key, added: [] })),
    ...added.map((item) => ({ key: keyOf(item), added: [item] })),
  ].sort((a, b) => compareText(a.key, b.key))
  let from = 0
  const placed = edits.map(({ key, added }): Edit<Item> => {
    const start = lowerBound(items, keyOf, key, from)
    from = endOf(items, keyOf, key, start)
    return { start: added.length === 0 ? start : from, end: from, added }
  })
  if (placed.length === 0) return items
  return placed.length <= FEW_EDITS ? editedCopy(items, placed) : joinedPieces(items, placed)
}

/** What takes the place of the items from `start` up to `end`. */
interface Edit<Item> {
  start: number
  end: number
  added: Item[]
}

/** From the last edit to the first, so that the places of the others stay. */
function editedCopy<Item>(items: readonly Item[], edits: readonly Edit<Item>[]): Item[] {
  const copy = items.slice()
  for (const { start, end, added } of edits.toReversed()) copy.splice(start, end - start, ...added)
  return copy
}

function joinedPieces<Item>(items: readonly Item[], edits: readonly Edit<Item>[]): Item[] {
  const pieces: (readonly Item[])[] = []
  let from = 0
  for (const { start, end, added } of edits) {
    pieces.push(items.slice(from, start), added)
    from = end
  }
  pieces.push(items.slice(from))
  // concat copies whole pieces, and flat each item: ten times slower, for edits that are large in any case.
  return pieces.length > MOST_ARGUMENTS ? pieces.flat() : ([] as Item[]).concat(...pieces)
}

function endOf<Item>(items: readonly Item[], keyOf: KeyOf<Item>, key: string, start: number): number {
  let end = start
  for (let item = items[end]; item !== undefined && keyOf(item) === key; item = items[end]) end += 1
  return end
}
