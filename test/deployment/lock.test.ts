import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"

interface Locked {
  resolved?: string
  optionalDependencies?: Record<string, string>
}

/** Optional packages of any platform that a lock names and does not hold: npm would add them, and npm ci refuse it. */
function lackingPackages(packages: Record<string, Locked>): string[] {
  return Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages),
    ),
  )
}

it("package-lock.json holds the packages of every platform, and names no registry", () => {
  const file = join(import.meta.dirname, "../../package-lock.json")
  const { packages } = JSON.parse(readFileSync(file, "utf8")) as { packages: Record<string, Locked> }
  expect(lackingPackages(packages)).toEqual([])
  expect(Object.values(packages).filter(({ resolved }) => resolved?.includes("://"))).toEqual([])
  const { "node_modules/@koromix/koffi-linux-x64": taken, ...others } = packages
  expect(taken).toBeDefined()
  expect(lackingPackages(others)).toEqual(["@koromix/koffi-linux-x64"])
})
