#!/usr/bin/env node
/**
 * Builds what the images hold twice, from one commit, in two folders of different depth, one after the other, and compares every
 * file. Prints the digest of the whole, which `npm run provenance` states; exits with 1 and the files that differ.
 *
 *   npm run check:reproducible [-- --install] [--files FILE]     --install: both from the registry, by npm ci
 *
 * It needs no container engine. The base image and Debian's packages are not part of it: NODE_DIGEST pins the one.
 */
import { execFileSync } from "node:child_process"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { temporaryFolder } from "../local/temporary-folder.ts"
import { buildImageFolder, imageTree } from "./image-tree.mjs"

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..")
const { values } = parseArgs({
  options: { install: { type: "boolean", default: false }, files: { type: "string" } },
})

const commit = execFileSync("git", ["-C", ROOT, "rev-parse", "HEAD"], { encoding: "utf8" }).trim()
const scratch = temporaryFolder("headrace-build-")
try {
  const [first, second] = ["a", "b/of/another/depth"].map((name) => treeIn(join(scratch, name)))
  const differing = differences(first.lines, second.lines)
  for (const line of differing) process.stderr.write(`differs: ${line}\n`)
  if (differing.length > 0) process.exitCode = 1
  else
    process.stdout.write(`${commit}: ${first.lines.length} files, twice the same\nsha256:${first.digest}\n`)
  if (values.files !== undefined) writeFileSync(values.files, `${first.lines.join("\n")}\n`)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

function treeIn(folder) {
  mkdirSync(folder, { recursive: true })
  return imageTree(buildImageFolder(ROOT, commit, folder, values.install))
}

function differences(first, second) {
  const [before, after] = [new Set(first), new Set(second)]
  return [...first.filter((line) => !after.has(line)), ...second.filter((line) => !before.has(line))]
}
