import { readdir, rm } from "node:fs/promises"
import { dirname, join } from "node:path"

/** Removes what a killed git or Headrace left: lock files, unfinished packs and objects, unfinished swaps. */
export async function removeLeftovers(place: string): Promise<string[]> {
  const removed: string[] = []
  const name = place.slice(dirname(place).length + 1)
  for (const sibling of await readdir(dirname(place)).catch(() => [])) {
    if (sibling.startsWith(`${name}.new-`) || sibling.startsWith(`${name}.old-`))
      removed.push(join(dirname(place), sibling))
  }
  const inside = await readdir(place, { recursive: true }).catch(() => [])
  for (const path of inside) {
    if (path.endsWith(".lock") || path === "gc.pid" || /(^|\/)(tmp_|\.tmp-)[^/]*$/.test(path))
      removed.push(join(place, path))
  }
  for (const path of removed) await rm(path, { recursive: true, force: true })
  return removed
}
