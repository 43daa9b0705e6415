import { rangeBeneath } from "./sorted-paths.ts"

/** A link that leads to a folder. */
export interface FolderLink {
  path: string
  folder: string
}

/** A link on the walk's path, and how far its walk has come. */
interface Visit {
  link: number
  next: number
  last: number
}

interface Search {
  links: readonly FolderLink[]
  /** When each link was reached first; -1: not yet. */
  order: number[]
  /** The earliest open link that each is known to lead to. */
  low: number[]
  open: number[]
  isOpen: Set<number>
  count: number
  cyclic: Set<number>
}

/**
 * Indices of the links that lead back to themselves: a folder shown at such a link would hold itself.
 * Link A leads to link B when B is beneath A's folder; the answer is every link on a cycle, found as
 * strongly connected components (Tarjan, "Depth-first search and linear graph algorithms", 1972), without
 * recursion. It depends on the set of links alone.
 *
 * `links` is in path order.
 */
export function cyclicLinks(links: readonly FolderLink[]): Set<number> {
  const search: Search = {
    links,
    order: new Array<number>(links.length).fill(-1),
    low: new Array<number>(links.length).fill(-1),
    open: [],
    isOpen: new Set(),
    count: 0,
    cyclic: new Set(),
  }
  for (let start = 0; start < links.length; start++) if (search.order[start] === -1) walkFrom(start, search)
  return search.cyclic
}

function walkFrom(start: number, search: Search): void {
  const path = [enter(start, search)]
  for (let visit = path.at(-1); visit !== undefined; visit = path.at(-1)) {
    const next = visit.next++
    if (next < visit.last) {
      if (search.order[next] === -1) path.push(enter(next, search))
      else if (search.isOpen.has(next)) lower(visit.link, search.order[next], search)
      continue
    }
    path.pop()
    closeComponent(visit.link, search)
    const parent = path.at(-1)
    if (parent) lower(parent.link, search.low[visit.link], search)
  }
}

function enter(link: number, search: Search): Visit {
  search.order[link] = search.low[link] = search.count++
  search.open.push(link)
  search.isOpen.add(link)
  const [next, last] = rangeBeneath(search.links, search.links[link]?.folder ?? "")
  if (next <= link && link < last) search.cyclic.add(link)
  return { link, next, last }
}

function lower(link: number, bound: number | undefined, search: Search): void {
  search.low[link] = Math.min(search.low[link] ?? 0, bound ?? 0)
}

/** When `link` leads to nothing earlier that is open, what is open since it is one component. */
function closeComponent(link: number, search: Search): void {
  if (search.low[link] !== search.order[link]) return
  const members = search.open.splice(search.open.lastIndexOf(link))
  for (const member of members) {
    search.isOpen.delete(member)
    if (members.length > 1) search.cyclic.add(member)
  }
}
