import { readFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { describe, expect, it } from "vitest"
import { readImports } from "../house/read-imports.ts"

const ROOT = join(import.meta.dirname, "../..")
const PROGRAMS = ["plugin", "bootstrapper", "agent"]
/** What config/package/bundle.mjs begins with. */
const ENTRIES = [...PROGRAMS.map((name) => `${name}/src/main.ts`), "agent/src/read/index.ts"]

/** What a laptop needs in place of a cluster, by its name in a path. */
const LAPTOP_NAMES =
  /embedded|in-process|redis-server|free-port|sample-repository|start-local|demo|fake-|\.test\./
/** The same by what the code does: it starts a redis-server, or answers as an API server does. */
const LAPTOP_CODE =
  /spawn(Sync)?\(\s*["'`]redis-server|createServer[\s\S]*(resourceVersion|ConfigMapList)|listen\(0\b/

/** Every source that a bundle is made of, and every package that one of them imports. */
function bundled(): { sources: string[]; packages: Set<string> } {
  const sources = new Set(ENTRIES)
  const packages = new Set<string>()
  for (let open = ENTRIES; open.length > 0; ) {
    const targets = readImports(ROOT, open).flatMap(({ to }) => to ?? [])
    for (const to of targets) if (to.startsWith("npm:")) packages.add(to.slice("npm:".length))
    open = [...new Set(targets)].filter((to) => to.endsWith(".ts") && !sources.has(to))
    for (const source of open) sources.add(source)
  }
  return { sources: [...sources], packages }
}

function laptopFiles(files: string[], read: (file: string) => string): string[] {
  return files.filter(
    (file) => /^(config|test)\//.test(file) || LAPTOP_NAMES.test(file) || LAPTOP_CODE.test(read(file)),
  )
}

function script(name: string) {
  return import(pathToFileURL(join(ROOT, "config/package", name)).href)
}

describe("the images", () => {
  const { sources, packages } = bundled()

  it("carry every package that the programs import, in their bundles or beside them", async () => {
    expect(sources.length).toBeGreaterThan(500)
    const { imagePackages } = await script("image-packages.mjs")
    const { isInlined } = await script("inlined-packages.mjs")
    const beside = new Set(imagePackages(ROOT).map((place: string) => place.replace("node_modules/", "")))
    for (const name of ["pino", "commander", "@opentelemetry/api"]) expect(beside).toContain(name)
    expect([...packages].filter((name) => !beside.has(name) && !isInlined(name))).toEqual([])
  })

  it("carry nothing that only a laptop needs", () => {
    expect(laptopFiles(sources, (file) => readFileSync(join(ROOT, file), "utf8"))).toEqual([])
  })

  it("carry no package that only config and test depend on", async () => {
    const { imagePackages } = await script("image-packages.mjs")
    const others = ["config", "test"]
      .flatMap((name) => dependencies(name))
      .filter((name) => !packages.has(name))
    expect(others.length).toBeGreaterThan(0)
    expect(others.filter((name) => imagePackages(ROOT).includes(`node_modules/${name}`))).toEqual([])
  })

  it("would be seen to carry it: by name, by what it does, by an import of config", () => {
    const planted = ["shared/src/kube/object-store.ts", "agent/src/ops/redis-server.ts", "config/local/up.ts"]
    const code = `createServer((request, response) => response.end('{"kind":"ConfigMapList"}'))`
    expect(laptopFiles(planted, (file) => (file.startsWith("shared") ? code : ""))).toEqual(planted)
  })

  it("are what config/package/image-folder.mjs makes, by name", () => {
    const dockerfile = readFileSync(join(ROOT, "config/image/Dockerfile"), "utf8")
    const copied = [...dockerfile.matchAll(/^COPY --from=build (.+) (\S+)$/gm)].flatMap(([, from = ""]) =>
      from.split(" "),
    )
    const whole = ["LICENSE", "LICENSES.txt", "package.json", "node_modules", ...PROGRAMS]
    expect(copied.sort()).toEqual(whole.map((name) => `/build/image/${name}`).sort())
    expect(dockerfile.match(/--from=/g)?.length).toBe(5)
  })
})

function dependencies(name: string): string[] {
  const { dependencies = {}, devDependencies = {} } = JSON.parse(
    readFileSync(join(ROOT, name, "package.json"), "utf8"),
  )
  return Object.keys({ ...dependencies, ...devDependencies })
}
