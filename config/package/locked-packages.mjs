import { readFileSync } from "node:fs"
import { join } from "node:path"

/** The packages of the project's lock, by their place beneath its root: `node_modules/pino`, `agent`. */
export function readLockedPackages(root) {
  return JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages
}

/**
 * The places in a lock of these packages as a place finds them, and of all that these need: dependencies, optional ones and
 * peers. Optional peers are brought by what wants them, as npm has it.
 */
export function placesNeeded(packages, from, names) {
  const found = new Set()
  const open = names.map((name) => placeOf(packages, from, name))
  while (open.length > 0) {
    const place = open.pop()
    if (place === undefined || found.has(place)) continue
    found.add(place)
    open.push(...needsOf(packages[place]).map((name) => placeOf(packages, place, name)))
  }
  return found
}

function needsOf({ dependencies, optionalDependencies, peerDependencies = {}, peerDependenciesMeta = {} }) {
  const peers = Object.keys(peerDependencies).filter((name) => !peerDependenciesMeta[name]?.optional)
  return [...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers]
}

/** Where Node finds a package from a place: beneath it, or beneath a folder above. */
function placeOf(packages, from, needed) {
  for (let place = from; ; place = place.slice(0, Math.max(0, place.lastIndexOf("/node_modules/")))) {
    const at = `${place === "" ? "" : `${place}/`}node_modules/${needed}`
    if (at in packages) return at
    if (place === "") return undefined
  }
}
