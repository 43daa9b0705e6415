#!/usr/bin/env node
/**
 * Starts the program: an installed package has it in `bundle`; a clone builds it first. The same file in each package,
 * and plain JavaScript, so that a Node that is too old says so instead of failing somewhere inside.
 */
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath, pathToFileURL } from "node:url"

const folder = join(dirname(fileURLToPath(import.meta.url)), "..")
const { bin, engines, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
const [name] = Object.keys(bin)
const needed = engines.node.replace(">=", "")

if (process.argv.length === 3 && process.argv[2] === "--version") process.stdout.write(`${version}\n`)
else if (isOlder(process.versions.node, needed)) refuse()
else await import(pathToFileURL(program()).href)

function isOlder(found, wanted) {
  const [major, minor] = found.split(".").map(Number)
  const [neededMajor, neededMinor] = wanted.split(".").map(Number)
  return major < neededMajor || (major === neededMajor && minor < neededMinor)
}

function refuse() {
  process.stderr.write(
    `error: ${name} needs Node ${needed} or later, and this is ${process.version} (${process.execPath})\n` +
      '  Install a newer Node, or run it as "npx --package=node@24 --package=PACKAGE PROGRAM", which brings one.\n'
        .replace("PACKAGE", `@headrace/${name.replace("headrace-", "")}`)
        .replace("PROGRAM", name),
  )
  process.exitCode = 1
}

function program() {
  const bundled = join(folder, "bundle", "main.js")
  // A clone may hold a bundle of yesterday, which npm pack has left.
  const prepare = join(folder, "..", "config", "local", "prepare.mjs")
  if (!existsSync(prepare)) return bundled
  const { status } = spawnSync(process.execPath, [prepare, "--build", "--quiet"], { stdio: "inherit" })
  if (status !== 0) process.exit(1)
  return join(folder, "dist", "main.js")
}
