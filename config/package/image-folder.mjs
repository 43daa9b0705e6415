#!/usr/bin/env node
/**
 * Puts what the images hold of the project into an empty folder: the programs as their tarballs have them, and the packages
 * that they import, with the licences of all that ships, from what is bundled and installed here. The Dockerfile runs it in its build stage.
 *
 *   node config/package/image-folder.mjs FOLDER
 */
import { execFileSync } from "node:child_process"
import { chmodSync, cpSync, mkdirSync, realpathSync, writeFileSync } from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { imagePackages, PROGRAMS } from "./image-packages.mjs"

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..")
const [, , folder] = process.argv
if (folder === undefined) {
  process.stderr.write("usage: node config/package/image-folder.mjs FOLDER\n")
  process.exit(2)
}
mkdirSync(folder, { recursive: true })
const own = PROGRAMS.flatMap((name) => [`${name}/package.json`, `${name}/bundle`])
for (const place of ["LICENSE", "package.json", ...own, ...imagePackages(ROOT)]) copy(place)
for (const name of PROGRAMS) chmodSync(join(folder, name, "bundle/main.js"), 0o755)

const thirdParty = join(ROOT, "config/package/third-party.mjs")
writeFileSync(
  join(folder, "LICENSES.txt"),
  execFileSync(process.execPath, [thirdParty], { maxBuffer: 2 ** 26 }),
)

/** A package within another comes by itself, when it is needed. */
function copy(place) {
  const from = realpathSync(join(ROOT, place))
  const filter = (path) => path === from || basename(path) !== "node_modules"
  cpSync(from, resolve(folder, place), { recursive: true, verbatimSymlinks: true, filter })
}
