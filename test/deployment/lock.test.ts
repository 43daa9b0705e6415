import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"

const ROOT = join(import.meta.dirname, "../..")
const WORKSPACES = ["shared", "plugin", "bootstrapper", "agent", "config", "test"]

interface Locked {
  resolved?: string
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
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

it("package-lock.json names what each package.json depends on", () => {
  const { packages } = readJson("package-lock.json") as { packages: Record<string, Locked> }
  const needs = ({ dependencies, devDependencies, optionalDependencies }: Locked) => ({
    dependencies,
    devDependencies,
    optionalDependencies,
  })
  for (const name of WORKSPACES) {
    expect(needs(packages[name] ?? {}), name).toEqual(needs(readJson(`${name}/package.json`) as Locked))
  }
})

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(join(ROOT, file), "utf8"))
}

it("package-lock.json holds the packages of every platform, and names no registry", () => {
  const { packages } = readJson("package-lock.json") as { packages: Record<string, Locked> }
  expect(lackingPackages(packages)).toEqual([])
  expect(Object.values(packages).filter(({ resolved }) => resolved?.includes("://"))).toEqual([])
  const { "node_modules/@koromix/koffi-linux-x64": taken, ...others } = packages
  expect(taken).toBeDefined()
  expect(lackingPackages(others)).toEqual(["@koromix/koffi-linux-x64"])
})
