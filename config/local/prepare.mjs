#!/usr/bin/env node
/**
 * Makes a fresh clone ready: npm packages, the pinned Node, redis-server, and with `--build` the build.
 *
 * Plain JavaScript on purpose: it runs before anything is installed, on whatever Node (>= 20) the machine has.
 * It installs redis-server only as root, with the system's package manager, and says so; never through sudo.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..")
const BIN = join(ROOT, "node_modules", ".bin")
const STAMP = join(ROOT, "node_modules", ".headrace-prepared")
const REDIS_FOLDERS = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"]
/** Ways to install redis-server, by the package manager found on PATH. */
const PACKAGE_MANAGERS = [
  {
    command: "apt-get",
    steps: [
      ["update", "-qq"],
      ["install", "-y", "-qq", "--no-install-recommends", "redis-server"],
    ],
  },
  { command: "dnf", steps: [["install", "-y", "-q", "redis"]] },
  { command: "apk", steps: [["add", "--quiet", "redis"]] },
]

const flags = new Set(process.argv.slice(2))
const quiet = flags.has("--quiet")

installPackages()
checkPinnedNode()
if (!process.env.REDIS_URL || flags.has("--own-redis")) installRedis()
if (flags.has("--build")) build()

/**
 * `npm install` by the lock file, unless that is the one that was installed last. Not `npm ci`: it refuses a
 * lock without the optional packages of other platforms, which a mirror of the registry need not carry.
 */
function installPackages() {
  const lock = createHash("sha256")
    .update(readFileSync(join(ROOT, "package-lock.json")))
    .digest("hex")
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === lock) return
  say("installing npm packages")
  run("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"])
  writeFileSync(STAMP, lock)
}

/** npm's `node` package brings the runtime through its install script, which npm may have been told not to run. */
function checkPinnedNode() {
  const wanted = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).devDependencies.node
  const found = spawnSync(join(BIN, "node"), ["--version"], { encoding: "utf8" }).stdout?.trim()
  if (found === `v${wanted}`) return
  fail(
    `the pinned Node ${wanted} is not there (found ${found || "none"}): npm did not run the install script of its "node" package`,
    'run "npm install --ignore-scripts=false", and leave "node": true in allowScripts of package.json',
  )
}

function installRedis() {
  if (findRedis()) return
  const manager = PACKAGE_MANAGERS.find(({ command }) => findOnPath(command))
  if (!manager || process.getuid?.() !== 0) {
    fail(
      "redis-server is not installed",
      'install it (Debian: "apt-get install redis-server"), or set REDIS_URL',
    )
  }
  say(`installing redis-server with ${manager.command} (running as root)`)
  for (const step of manager.steps) run(manager.command, step, { DEBIAN_FRONTEND: "noninteractive" })
  if (!findRedis())
    fail("redis-server is still not there after installing it", "set HEADRACE_REDIS_SERVER to its path")
}

function findRedis() {
  const given = process.env.HEADRACE_REDIS_SERVER
  if (given) return executable(given)
  return (
    findOnPath("redis-server") ??
    REDIS_FOLDERS.map((folder) => executable(join(folder, "redis-server"))).find(Boolean)
  )
}

function build() {
  const quietTurbo = { TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1", TURBO_NO_UPDATE_NOTIFIER: "1" }
  const args = ["run", "build", "--output-logs=errors-only", "--log-prefix=none"]
  const result = spawnSync(join(BIN, "turbo"), args, {
    cwd: ROOT,
    encoding: "utf8",
    env: { ...process.env, ...quietTurbo, PATH: `${BIN}${delimiter}${process.env.PATH}` },
  })
  if (result.status !== 0) fail(`the build failed:\n${result.stdout}${result.stderr}`, "mend what it names")
}

function run(command, args, env = {}) {
  try {
    execFileSync(command, args, {
      cwd: ROOT,
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, ...env },
    })
  } catch (error) {
    fail(
      `"${command} ${args.join(" ")}" failed (${error.message.split("\n")[0]})`,
      "its own message stands above",
    )
  }
}

function findOnPath(command) {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => executable(join(folder, command)))
    .find(Boolean)
}

function executable(path) {
  try {
    accessSync(path, constants.X_OK)
    return path
  } catch {
    return undefined
  }
}

function say(text) {
  if (!quiet || text.startsWith("installing")) process.stderr.write(`headrace: ${text}\n`)
}

function fail(message, hint) {
  process.stderr.write(`headrace: ${message}\n  ${hint}\n`)
  process.exit(1)
}
