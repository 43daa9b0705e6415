import { execFileSync, spawnSync } from "node:child_process"
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs"
import { dirname, join } from "node:path"
import { pathToFileURL } from "node:url"
import { withFolder } from "@headrace/test/harness/with-folder"
import { describe, expect, it } from "vitest"

const ROOT = join(import.meta.dirname, "../..")
const SCRIPTS = join(ROOT, "config/package")
const DIGEST = "ab".repeat(32)
const PROGRAMS = ["plugin", "bootstrapper", "agent"]
/** `elsewhere` is of another platform, and not installed; `bundled` is in the bundles, `vain` is what only tests need. */
const SMALL_LOCK = {
  shared: { dependencies: { bundled: "1" } },
  plugin: { dependencies: { pino: "1" } },
  bootstrapper: { dependencies: { pino: "1" }, devDependencies: { bundled: "1" } },
  agent: { peerDependencies: { peer: "1" }, optionalDependencies: { elsewhere: "1" } },
  "node_modules/pino": { license: "MIT", dependencies: { within: "1" } },
  "node_modules/pino/node_modules/within": { license: "MIT" },
  "node_modules/within": { license: "MIT", version: "2" },
  "node_modules/peer": {
    license: "MIT",
    peerDependencies: { pino: "1", vain: "1" },
    peerDependenciesMeta: { vain: { optional: true } },
  },
  "node_modules/elsewhere": { license: "MIT" },
  "node_modules/bundled": { license: "MIT" },
  "node_modules/vain": { license: "MIT", dev: true },
}
const LOCKED = Object.keys(SMALL_LOCK).filter((place) => place !== "node_modules/elsewhere")

interface Tree {
  digest: string
  lines: string[]
}

describe("the lock", () => {
  it("refuses a lock whose packages lack a digest or name a place of their own", async () => {
    const { faultsOfLock } = await script("faults-of-lock.mjs")
    const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"))
    expect(faultsOfLock(lock)).toEqual([])

    const place = "node_modules/zod"
    const spoiled = (change: object) =>
      faultsOfLock({ packages: { [place]: { ...lock.packages[place], ...change } } })
    expect(spoiled({ integrity: undefined })).toEqual([`${place} has no sha512 digest`])
    expect(spoiled({ integrity: "sha1-x" })).toEqual([`${place} has no sha512 digest`])
    const resolved = "https://elsewhere.example/zod.tgz"
    expect(spoiled({ resolved })).toEqual([`${place} names a place to come from: ${resolved}`])
  })
})

describe("what ships", () => {
  it("has licences of the list, all in one file", () => {
    const text = execFileSync(process.execPath, [join(SCRIPTS, "third-party.mjs")], {
      encoding: "utf8",
      maxBuffer: 2 ** 26,
    })
    for (const name of ["pino", "commander", "koffi"]) expect(text).toMatch(new RegExp(`^${name} \\d`, "m"))
  })

  it("has one digest for the same files, whenever and wherever they were built, and another for any change", () =>
    withFolder(async (folder) => {
      const first = await treeOf(join(folder, "a"), {})
      expect(await treeOf(join(folder, "b/c"), {}, 1_000_000_000)).toEqual(first)

      // A package that is borrowed from another folder is the same package.
      renameSync(join(folder, "a/node_modules/pino"), join(folder, "pino"))
      symlinkSync(join(folder, "pino"), join(folder, "a/node_modules/pino"))
      expect(await imageOf(join(folder, "a"))).toEqual(first)

      const others = [
        await treeOf(join(folder, "d"), { "agent/bundle/main.js": "changed" }),
        await treeOf(join(folder, "e"), { "agent/bundle/more.js": "" }),
        await treeOf(join(folder, "f"), { "node_modules/pino/index.js": "changed" }),
        await treeOf(join(folder, "g"), {}, undefined, "plugin/bundle/x.js"),
      ]
      expect(new Set([first, ...others].map(({ digest }) => digest)).size).toBe(5)
    }))

  it("is the programs as their tarballs have them, and what these need with what that needs", () =>
    withFolder(async (folder) => {
      const { lines } = await treeOf(folder, {})
      const files = lines.map((line) => line.split(" ").slice(2).join(" "))
      const own = PROGRAMS.flatMap((name) =>
        ["bundle/main.js", "bundle/x.js", "package.json"].map((file) => `${name}/${file}`),
      )
      const packages = ["node_modules/peer/package.json", "node_modules/pino/package.json"]
      const within = "node_modules/pino/node_modules/within/package.json"
      expect(files.sort()).toEqual(
        ["LICENSE", "LICENSES.txt", "package.json", ...own, ...packages, within].sort(),
      )
      const programs = lines.filter((line) => line.startsWith("755"))
      expect(programs.map((line) => line.split(" ")[2]).sort()).toEqual(
        PROGRAMS.map((name) => `${name}/bundle/main.js`).sort(),
      )
    }))
})

describe("the statement of provenance", () => {
  it("names the digest, the commit and each package that ships by its digest, as in-toto and SLSA have it", () => {
    const args = [join(SCRIPTS, "provenance.mjs"), "--digest", `sha256:${DIGEST}`]
    const builder = ["--builder", "https://ci.example.com/run/1"]
    const statement = JSON.parse(execFileSync(process.execPath, [...args, ...builder], { encoding: "utf8" }))
    const commit = execFileSync("git", ["-C", ROOT, "rev-parse", "HEAD"], { encoding: "utf8" }).trim()
    const { packages } = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"))
    const { version, integrity } = packages["node_modules/pino"]

    expect(statement).toMatchObject({
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ digest: { sha256: DIGEST } }],
      predicateType: "https://slsa.dev/provenance/v1",
      predicate: {
        buildDefinition: { externalParameters: { commit } },
        runDetails: { builder: { id: "https://ci.example.com/run/1" } },
      },
    })
    expect(statement.predicate.buildDefinition.resolvedDependencies).toContainEqual({
      uri: `pkg:npm/pino@${version}`,
      digest: { sha512: Buffer.from(integrity.slice("sha512-".length), "base64").toString("hex") },
    })
    expect(spawnSync(process.execPath, args).status).toBe(2)
  })
})

/** What an image holds of a small build, with these contents besides or instead. */
async function treeOf(
  folder: string,
  changes: Record<string, string>,
  time = 1_700_000_000,
  executable?: string,
): Promise<Tree> {
  const own = PROGRAMS.flatMap((name) =>
    ["package.json", "bundle/main.js", "bundle/x.js", "src/main.ts"].map((file) => `${name}/${file}`),
  )
  const packages = LOCKED.filter((place) => place.includes("node_modules")).map(
    (place) => `${place}/package.json`,
  )
  const files = ["LICENSE", "package.json", "shared/package.json", ...own, ...packages]
  const contents = {
    ...Object.fromEntries(files.map((file) => [file, JSON.stringify({ name: file, license: "MIT" })])),
    "package-lock.json": JSON.stringify({ packages: SMALL_LOCK }),
    ...changes,
  }
  for (const [file, content] of Object.entries(contents)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), content)
    utimesSync(join(folder, file), time, time)
  }
  if (executable !== undefined) chmodSync(join(folder, executable), 0o755)
  cpSync(SCRIPTS, join(folder, "config/package"), { recursive: true })
  return imageOf(folder)
}

/** Of a folder where everything is bundled. */
async function imageOf(folder: string): Promise<Tree> {
  const image = join(folder, "image")
  rmSync(image, { recursive: true, force: true })
  execFileSync(process.execPath, [join(folder, "config/package/image-folder.mjs"), image])
  const { imageTree } = await script("image-tree.mjs")
  return imageTree(image)
}

function script(name: string) {
  return import(pathToFileURL(join(SCRIPTS, name)).href)
}
