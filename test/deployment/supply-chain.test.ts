import { execFileSync, spawnSync } from "node:child_process"
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs"
import { dirname, join } from "node:path"
import { pathToFileURL } from "node:url"
import { withFolder } from "@headrace/test/harness/with-folder"
import { describe, expect, it } from "vitest"
import { readImageCopies } from "./image-files.ts"

const ROOT = join(import.meta.dirname, "../..")
const SCRIPTS = join(ROOT, "config/package")
const DOCKERFILE = readFileSync(join(ROOT, "config/image/Dockerfile"), "utf8")
const DIGEST = "ab".repeat(32)

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
      const { imageTree } = await script("image-tree.mjs")
      expect(imageTree(join(folder, "a"))).toEqual(first)

      const others = [
        await treeOf(join(folder, "d"), { "agent/dist/main.js": "changed" }),
        await treeOf(join(folder, "e"), { "agent/dist/more.js": "" }),
        await treeOf(join(folder, "f"), { "node_modules/pino/index.js": "changed" }),
        await treeOf(join(folder, "g"), {}, undefined, "shared/dist/x.js"),
      ]
      expect(new Set([first, ...others].map(({ digest }) => digest)).size).toBe(5)
    }))

  it("is what the Dockerfile copies", () =>
    withFolder(async (folder) => {
      const { lines } = await treeOf(folder, {})
      const { copied } = readImageCopies(DOCKERFILE)
      const files = lines.map((line) => line.split(" ").slice(2).join(" "))

      for (const place of copied)
        expect(
          files.some((file) => `${file}/`.startsWith(`${place}/`)),
          place,
        ).toBe(true)
      const unnamed = files.filter((file) => !copied.some((place) => `${file}/`.startsWith(`${place}/`)))
      expect(unnamed.sort()).toEqual(["LICENSE", "package.json"])
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

/** The tree of a small build, with these contents besides or instead. */
async function treeOf(
  folder: string,
  changes: Record<string, string>,
  time = 1_700_000_000,
  executable?: string,
): Promise<Tree> {
  const own = ["shared", "plugin", "bootstrapper", "agent"].flatMap((name) => [
    `${name}/package.json`,
    `${name}/dist/x.js`,
  ])
  const files = ["LICENSE", "LICENSES.txt", "package.json", "agent/dist/main.js", ...own]
  const lock = { packages: { "node_modules/pino": { version: "1.0.0" }, "node_modules/x": { dev: true } } }
  const contents = {
    ...Object.fromEntries(files.map((file) => [file, file])),
    "package-lock.json": JSON.stringify(lock),
    "node_modules/pino/package.json": "{}",
    "node_modules/x/package.json": "{}",
    ...changes,
  }
  for (const [file, content] of Object.entries(contents)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), content)
    utimesSync(join(folder, file), time, time)
  }
  if (executable !== undefined) chmodSync(join(folder, executable), 0o755)
  const { imageTree } = await script("image-tree.mjs")
  return imageTree(folder)
}

function script(name: string) {
  return import(pathToFileURL(join(SCRIPTS, name)).href)
}
