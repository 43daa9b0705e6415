import { existsSync } from "node:fs"
import { join } from "node:path"
import { placesNeeded, readLockedPackages } from "./locked-packages.mjs"

export const PROGRAMS = ["plugin", "bootstrapper", "agent"]

/**
 * The packages that the images hold beside the programs' bundles, by their place beneath the project's root, in order: what
 * package.json of a program names, its optional peers too, with all that these need and this platform has.
 */
export function imagePackages(root) {
  const packages = readLockedPackages(root)
  const places = PROGRAMS.flatMap((name) => {
    const { dependencies, optionalDependencies, peerDependencies } = packages[name]
    const names = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })
    return [...placesNeeded(packages, name, names)]
  })
  return [...new Set(places)].filter((place) => existsSync(join(root, place))).sort()
}
