import type { TreeFile } from "../../foundation/tree.ts"
import { itemAt, rangeBeneath } from "./sorted-paths.ts"

/** A symbolic link of a tree and the text it holds. */
export interface TreeLink {
  path: string
  target: string
}

export type LinkFault = "link-outside" | "link-dangling" | "link-cyclic"

/** Where a link leads. A folder's path is its real one, `""` for the top of the tree. */
export type Destination =
  | { kind: "file"; file: TreeFile }
  | { kind: "folder"; folder: string }
  | { kind: "fault"; fault: LinkFault }

/** Files and links of a tree, each in path order. */
export interface Entries {
  files: readonly TreeFile[]
  links: readonly TreeLink[]
}

/** As many links as Linux follows for one path: path_resolution(7). */
const MOST_HOPS = 40
/** Parts that change nothing. */
const STAYS = new Set(["", "."])

/**
 * Follows a link inside its tree, part by part and through other links, as path_resolution(7) says, with
 * the top of the tree as a wall: an absolute target and any step above the top are outside.
 */
export function followLink(link: TreeLink, entries: Entries): Destination {
  const at = link.path.split("/").slice(0, -1)
  const rest: string[] = []
  let next: TreeLink | undefined = link
  for (let hops = 0; ; hops++) {
    if (next !== undefined) {
      if (next.target.startsWith("/")) return fault("link-outside")
      if (next.target === "") return fault("link-dangling")
      if (hops >= MOST_HOPS) return fault("link-cyclic")
      rest.push(...next.target.split("/").reverse())
    }
    const arrived = walk(at, rest, entries)
    if ("kind" in arrived) return arrived
    next = arrived
  }
}

/** Walks `rest` (last part first) from `at`, up to the next link. */
function walk(at: string[], rest: string[], entries: Entries): Destination | TreeLink {
  for (let part = rest.pop(); part !== undefined; part = rest.pop()) {
    if (STAYS.has(part)) continue
    if (part === "..") {
      if (at.pop() === undefined) return fault("link-outside")
      continue
    }
    const found = look([...at, part].join("/"), entries)
    if (!("kind" in found)) return found
    if (found.kind !== "folder") return rest.length > 0 ? fault("link-dangling") : found
    at.push(part)
  }
  return { kind: "folder", folder: at.join("/") }
}

function look(path: string, { files, links }: Entries): Destination | TreeLink {
  const link = itemAt(links, path)
  if (link !== undefined) return link
  const file = itemAt(files, path)
  if (file !== undefined) return { kind: "file", file }
  const exists = hasBeneath(files, path) || hasBeneath(links, path)
  return exists ? { kind: "folder", folder: path } : fault("link-dangling")
}

function hasBeneath(items: readonly { path: string }[], folder: string): boolean {
  const [first, last] = rangeBeneath(items, folder)
  return first < last
}

function fault(kind: LinkFault): Destination {
  return { kind: "fault", fault: kind }
}
