import { readdir, rm } from "node:fs/promises"
import { dirname, join } from "node:path"

const LEFTOVERS = [
  /\.lock$/,
  /^gc\.pid$/,
  /(^|\/)(tmp_|\.tmp-)[^/]*$/,
  // A fetch keeps its pack until its ref is there; a pack that is kept for ever is never joined nor pruned.
  /^objects\/pack\/.*\.keep$/,
]

/** Removes what a killed git or Headrace left: locks, unfinished packs and objects, unfinished swaps. */
export async function removeLeftovers(place: string): Promise<string[]> {
  const removed: string[] = []
  const name = place.slice(dirname(place).length + 1)
  for (const sibling of await readdir(dirname(place)).catch(() => [])) {
    if (sibling.startsWith(`${name}.new-`) || sibling.startsWith(`${name}.old-`))
      removed.push(join(dirname(place), sibling))
  }
  const inside = await readdir(place, { recursive: true }).catch(() => [])
  for (const path of inside) {
    if (LEFTOVERS.some((leftover) => leftover.test(path))) removed.push(join(place, path))
  }
  for (const path of removed) await rm(path, { recursive: true, force: true })
  return removed
}
