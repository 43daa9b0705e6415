import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

/**
 * The packages of the lock that ship, by their place beneath the project's root: what `npm prune --omit=dev` leaves, for every
 * platform, without our own. `isInstalled`: this machine has it; packages of other platforms it has not.
 */
export function productionPackages(root) {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"))
  return Object.entries(packages)
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
