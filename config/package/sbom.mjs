#!/usr/bin/env node
/**
 * Prints the software bill of materials of a program's tarball, as CycloneDX JSON: what npm installs with it, and the
 * packages whose code its bundle holds.
 *
 *   npm run -s sbom -- agent|plugin|bootstrapper > agent.cdx.json
 *
 * By `npm sbom`, on a lock of that program alone: the workspace's own would count what only other programs use. The images
 * hold Debian's packages beside these: for an image, let a scanner such as syft read it whole.
 */
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { inlinedAmong } from "./inlined-packages.mjs"
import { placesNeeded } from "./locked-packages.mjs"

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..")
const [, , name = ""] = process.argv
if (!["agent", "plugin", "bootstrapper"].includes(name)) {
  process.stderr.write("usage: npm run -s sbom -- agent|plugin|bootstrapper\n")
  process.exit(2)
}

const { devDependencies, scripts: _, ...packed } = readJson(join(ROOT, name, "package.json"))
const manifest = { ...packed, dependencies: { ...packed.dependencies, ...inlinedAmong(devDependencies) } }
const scratch = mkdtempSync(join(tmpdir(), "headrace-sbom-"))
// npm calls the whole by its folder.
const folder = join(scratch, `headrace-${name}`)
try {
  mkdirSync(folder)
  writeJson("package.json", manifest)
  writeJson("package-lock.json", lockOf(manifest))
  const args = ["sbom", "--package-lock-only", "--sbom-format", "cyclonedx", "--sbom-type", "application"]
  process.stdout.write(execFileSync("npm", args, { cwd: folder, maxBuffer: 2 ** 26 }))
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

function lockOf({ name, version, dependencies, optionalDependencies }) {
  const { packages, ...head } = readJson(join(ROOT, "package-lock.json"))
  const needed = placesNeeded(packages, "", Object.keys({ ...dependencies, ...optionalDependencies }))
  const found = [...needed].map((place) => [place, packages[place]])
  const whole = { name, version, dependencies, optionalDependencies }
  return { ...head, name, version, packages: Object.fromEntries([["", whole], ...found]) }
}

function readJson(file) {
  return JSON.parse(readFileSync(file, "utf8"))
}

function writeJson(file, value) {
  writeFileSync(join(folder, file), JSON.stringify(value))
}
