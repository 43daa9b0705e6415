/** Anything that has a path. */
export interface Placed {
  path: string
}

/** The first index in `items` (in path order) whose path is not before `path`. */
export function lowerBound(items: readonly Placed[], path: string): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const item = items[middle]
    if (item !== undefined && item.path < path) low = middle + 1
    else high = middle
  }
  return low
}

/** The item that is exactly at `path`. */
export function itemAt<T extends Placed>(items: readonly T[], path: string): T | undefined {
  const item = items[lowerBound(items, path)]
  return item?.path === path ? item : undefined
}

/**
 * The range [first, last) of what is beneath a folder; `""` is the whole tree. In code-unit order it
 * is one range: everything from `folder/` up to `folder0`, since `0` follows `/`.
 */
export function rangeBeneath(items: readonly Placed[], folder: string): [first: number, last: number] {
  if (folder === "") return [0, items.length]
  return [lowerBound(items, `${folder}/`), lowerBound(items, `${folder}0`)]
}

/** `path` relative to `folder`, which contains it. */
export function pathWithin(folder: string, path: string): string {
  return folder === "" ? path : path.slice(folder.length + 1)
}
