import type { TreeFile } from "../../foundation/tree.ts"
import { pathWithin, rangeBeneath } from "./sorted-paths.ts"

/** A link whose destination is known. */
export type ResolvedLink =
  | { kind: "file"; path: string; file: TreeFile }
  | { kind: "folder"; path: string; folder: string }

/**
 * The files that links show, each at the path where it is seen. Links are taken in path order while what
 * they show fits `limit`; the path of one that does not fit goes to `tooLarge`.
 *
 * `files` and `links` are in path order, and no link leads back to itself.
 */
export function showLinks(
  files: readonly TreeFile[],
  links: readonly ResolvedLink[],
  limit: number,
  tooLarge: (path: string) => void,
): TreeFile[] {
  const shown: TreeFile[] = []
  const countOf = linkCounter(files, links)
  for (const link of links) {
    if (shown.length + countOf(link) > limit) tooLarge(link.path)
    else show(link, link.path)
  }
  return shown

  function show(link: ResolvedLink, at: string): void {
    if (link.kind === "file") {
      shown.push({ ...link.file, path: at, real: link.file.path })
      return
    }
    for (const file of beneath(files, link.folder)) {
      shown.push({ ...file, path: `${at}/${pathWithin(link.folder, file.path)}`, real: file.path })
    }
    for (const inner of beneath(links, link.folder)) {
      show(inner, `${at}/${pathWithin(link.folder, inner.path)}`)
    }
  }
}

/** How many files a link shows, counted without showing them: links upon links grow exponentially. */
function linkCounter(
  files: readonly TreeFile[],
  links: readonly ResolvedLink[],
): (link: ResolvedLink) => number {
  const counts = new Map<string, number>()
  function count(link: ResolvedLink): number {
    if (link.kind === "file") return 1
    const known = counts.get(link.folder)
    if (known !== undefined) return known
    const [first, last] = rangeBeneath(files, link.folder)
    let sum = last - first
    for (const inner of beneath(links, link.folder)) sum += count(inner)
    counts.set(link.folder, sum)
    return sum
  }
  return count
}

function beneath<T extends { path: string }>(items: readonly T[], folder: string): readonly T[] {
  const [first, last] = rangeBeneath(items, folder)
  return items.slice(first, last)
}
