import { existsSync } from "node:fs"
import { join } from "node:path"
import { readLockedPackages } from "./locked-packages.mjs"

/**
 * The packages of the lock that ship, inside a bundle or beside it, by their place beneath the project's root: what
 * `npm prune --omit=dev` leaves, for every platform, without our own. `isInstalled`: this machine has it; packages of other platforms it has not.
 */
export function productionPackages(root) {
  return Object.entries(readLockedPackages(root))
    .filter(([place, { dev, link }]) => place.includes("node_modules/") && !dev && !link)
    .map(([place, { version, integrity, license, optional = false }]) => ({
      place,
      name: place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length),
      version,
      integrity,
      license,
      isOptional: optional,
      isInstalled: existsSync(join(root, place, "package.json")),
    }))
    .sort((a, b) => (a.place < b.place ? -1 : 1))
}
