import { findSorted, lowerBound } from "../../foundation/sorted-list.ts"

/** Anything that has a path. */
export interface Placed {
  path: string
}

export function pathOf({ path }: Placed): string {
  return path
}

/** The item of a list in path order that is exactly at `path`. */
export function itemAt<T extends Placed>(items: readonly T[], path: string): T | undefined {
  return findSorted(items, pathOf, path)
}

/**
 * The range [first, last) of what is beneath a folder; `""` is the whole tree. In code-unit order it
 * is one range: everything from `folder/` up to `folder0`, since `0` follows `/`.
 */
export function rangeBeneath(items: readonly Placed[], folder: string): [first: number, last: number] {
  if (folder === "") return [0, items.length]
  return [lowerBound(items, pathOf, `${folder}/`), lowerBound(items, pathOf, `${folder}0`)]
}

/** `path` relative to `folder`, which contains it. */
export function pathWithin(folder: string, path: string): string {
  return folder === "" ? path : path.slice(folder.length + 1)
}
