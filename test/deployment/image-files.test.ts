import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join, relative } from "node:path"
import { describe, expect, it } from "vitest"
import { readImports } from "../house/read-imports.ts"
import { sourceFiles } from "../house/source-files.ts"
import { filesInImages, readImageCopies } from "./image-files.ts"

const ROOT = join(import.meta.dirname, "../..")
const DOCKERFILE = readFileSync(join(ROOT, "config/image/Dockerfile"), "utf8")
const COPIES = readImageCopies(DOCKERFILE)
const PACKAGES = ["shared", "plugin", "bootstrapper", "agent", "config", "test"]
const PROGRAMS = ["plugin", "bootstrapper", "agent"]

/** What a laptop needs in place of a cluster, by its name in a path. */
const LAPTOP_NAMES =
  /embedded|in-process|redis-server|free-port|sample-repository|start-local|demo|fake-|\.test\./
/** The same by what the code does: it starts a redis-server, or answers as an API server does. */
const LAPTOP_CODE =
  /spawn(Sync)?\(\s*["'`]redis-server|createServer[\s\S]*(resourceVersion|ConfigMapList)|listen\(0\b/

/** What the build stage holds when it is copied from: git's files without built ones, and what tsc makes. */
function buildStage(): string[] {
  const linked = PACKAGES.map((name) => `node_modules/@headrace/${name}`)
  return [...PACKAGES.map((name) => `${name}/package.json`), ...sourceFiles(ROOT), ...built(), ...linked]
}

function built(): string[] {
  return PACKAGES.filter((name) => existsSync(join(ROOT, name, "tsconfig.json"))).flatMap(compiled)
}

/** The JavaScript that `tsc -b` makes of a package, from its tsconfig.json. */
function compiled(name: string): string[] {
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc")
  const folder = join(ROOT, name)
  const shown = execFileSync(process.execPath, [tsc, "-p", folder, "--showConfig"], { encoding: "utf8" })
  const { files, compilerOptions } = JSON.parse(shown) as {
    files: string[]
    compilerOptions: { rootDir: string; outDir: string }
  }
  return files.map((file) => {
    const inside = relative(join(folder, compilerOptions.rootDir), join(folder, file))
    return join(name, compilerOptions.outDir, inside).replace(/\.ts$/, ".js")
  })
}

/** The source of a built file. */
function sourceOf(file: string): string {
  return file.replace(/\/dist\//, "/src/").replace(/\.js$/, ".ts")
}

function laptopFiles(files: string[], read: (file: string) => string): string[] {
  return files.filter(
    (file) =>
      /^(config|test|node_modules\/@headrace\/(config|test))(\/|$)/.test(file) ||
      LAPTOP_NAMES.test(file) ||
      (file.endsWith(".js") && LAPTOP_CODE.test(read(file))),
  )
}

describe("the images", () => {
  const stage = buildStage()
  const shipped = filesInImages(COPIES, stage)

  it("carry the programs with all that they import", () => {
    for (const program of PROGRAMS) expect(shipped).toContain(`${program}/dist/main.js`)
    expect(shipped.filter((file) => file.startsWith("shared/dist/")).length).toBeGreaterThan(100)
    const sources = shipped.filter((file) => file.endsWith(".js")).map(sourceOf)
    const imported = readImports(ROOT, sources).flatMap(({ to }) => (to?.endsWith(".ts") ? [to] : []))
    expect(imported.filter((file) => !sources.includes(file))).toEqual([])
  })

  it("carry nothing that only a laptop needs", () => {
    expect(laptopFiles(shipped, (file) => readFileSync(join(ROOT, sourceOf(file)), "utf8"))).toEqual([])
  })

  it("carry no package that only config and test depend on", () => {
    const shippedNames = new Set(["shared", ...PROGRAMS].flatMap(dependencies))
    const inside = PACKAGES.map((name) => `@headrace/${name}`)
    const others = ["config", "test"].flatMap(dependencies).filter((name) => !inside.includes(name))
    expect(others.filter((name) => !shippedNames.has(name))).toEqual([])
  })

  it("would be seen to carry it: by name, by what it does, by a COPY of config, by a link that stays", () => {
    const planted = [
      "shared/dist/kube/embedded/object-store.js",
      "agent/dist/ops/redis-server.js",
      "plugin/dist/x.js",
    ]
    const code = `createServer((request, response) => response.end('{"kind":"ConfigMapList"}'))`
    const found = filesInImages(COPIES, [...stage, ...planted]).filter((file) => planted.includes(file))
    expect(laptopFiles(found, () => code)).toEqual(planted)
    const withConfig = readImageCopies(
      `${DOCKERFILE}\nCOPY --from=build /build/LICENSE \\\n  /build/config/dist config/`,
    )
    expect(laptopFiles(filesInImages(withConfig, stage), () => "")).toContain(
      "config/dist/local/redis-server.js",
    )
    const withLink = readImageCopies(DOCKERFILE.replace(/rm -rf.*/, "true"))
    expect(laptopFiles(filesInImages(withLink, stage), () => "")).toEqual([
      "node_modules/@headrace/config",
      "node_modules/@headrace/test",
    ])
  })
})

function dependencies(name: string): string[] {
  const { dependencies = {} } = JSON.parse(readFileSync(join(ROOT, name, "package.json"), "utf8"))
  return Object.keys(dependencies)
}
