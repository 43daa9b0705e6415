#!/usr/bin/env node
/**
 * Makes a fresh clone ready: npm packages, the pinned Node, redis-server, with `--build` the build, with `--bundle` the
 * programs as `npm pack` packs them, with `--test-programs` the programs that some tests use, with `--consumers` those of
 * the consumer matrix, and with `--node` what makes images for a real node.
 *
 * Plain JavaScript on purpose: it runs before anything is installed, on whatever Node (>= 20) the machine has.
 * It installs programs of the system only as root, with the system's package manager, and says so; never through sudo.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { PROGRAMS } from "../package/image-packages.mjs"
import { executable, findOnPath, installCommands } from "./system-packages.mjs"

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..")
const BIN = join(ROOT, "node_modules", ".bin")
const LOCK = join(ROOT, "package-lock.json")
const INSTALLED = join(ROOT, "node_modules", ".package-lock.json")
const STAMP = join(ROOT, "node_modules", ".headrace-prepared")
const REDIS_FOLDERS = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"]
const WITHOUT_QUESTIONS = { DEBIAN_FRONTEND: "noninteractive" }
const REDIS_PACKAGES = { "apt-get": ["redis-server"], dnf: ["redis"], apk: ["redis"] }
const SBIN_FOLDERS = ["/sbin", "/usr/sbin"]
/** Programs and libraries that some tests use, and what brings them on Debian; on other systems those tests are skipped by name. */
const TEST_PROGRAMS = [
  { program: "mkfs.ext4", debian: "e2fsprogs" },
  { program: "mkfs.xfs", debian: "xfsprogs" },
  { program: "mkfs.btrfs", debian: "btrfs-progs" },
  { program: "openssl", debian: "openssl" },
  { program: "python3", debian: "python3" },
  { program: "go", debian: "golang-go" },
  { program: "fish", debian: "fish" },
  { program: "zsh", debian: "zsh" },
  { program: "promtool", debian: "prometheus" },
  { program: "inotifywait", debian: "inotify-tools" },
  { program: "entr", debian: "entr" },
  { program: "dnsmasq", debian: "dnsmasq-base" },
  { program: "/usr/lib/python3/dist-packages/watchdog/__init__.py", debian: "python3-watchdog" },
]
/** What the long form of the consumer matrix takes besides. */
const CONSUMERS = [
  { program: "nginx", debian: "nginx-light" },
  { program: "haproxy", debian: "haproxy" },
  { program: "prometheus", debian: "prometheus" },
  {
    program: "/usr/share/gocode/src/github.com/fsnotify/fsnotify/fsnotify.go",
    debian: "golang-github-fsnotify-fsnotify-dev",
  },
  {
    program: "/usr/share/gocode/src/github.com/spf13/viper/viper.go",
    debian: "golang-github-spf13-viper-dev",
  },
]

/** What the tests on a real node make images with. */
const NODE_IMAGES = [
  { program: "debootstrap", debian: "debootstrap" },
  { program: "/bin/busybox", debian: "busybox-static" },
]

const flags = new Set(process.argv.slice(2))
const quiet = flags.has("--quiet")

installPackages()
checkPinnedNode()
if (!process.env.REDIS_URL || flags.has("--own-redis")) installRedis()
if (flags.has("--test-programs")) installTestPrograms(TEST_PROGRAMS)
if (flags.has("--consumers")) installTestPrograms([...TEST_PROGRAMS, ...CONSUMERS])
if (flags.has("--node")) installTestPrograms(NODE_IMAGES)
if (flags.has("--build")) turbo("build")
if (flags.has("--bundle")) bundlePrograms()

/**
 * Installs what the lock file names, unless it is installed: `npm ci` in a fresh clone, and else what has changed. Neither
 * writes the lock, so that a clone stays clean.
 */
function installPackages() {
  const lock = createHash("sha256").update(readFileSync(LOCK)).digest("hex")
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === lock) return
  if (!isInstalledByNpm()) {
    say("installing npm packages")
    const how = existsSync(INSTALLED) ? ["install", "--no-save"] : ["ci"]
    run("npm", [...how, "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"])
  }
  writeFileSync(STAMP, lock)
}

/** By an `npm install` or `npm ci` of the user's: npm writes its own list last. */
function isInstalledByNpm() {
  return existsSync(INSTALLED) && statSync(INSTALLED).mtimeMs > statSync(LOCK).mtimeMs
}

/** npm's `node` package brings the runtime through its install script, which npm can be configured not to run. */
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
  const commands = installCommands(REDIS_PACKAGES)
  if (!commands) {
    fail(
      "redis-server is not installed, and only root can install it",
      'as root run "apt-get install redis-server" (or dnf, apk: "redis"), or set REDIS_URL to a Redis that runs, or HEADRACE_REDIS_SERVER to the path of a redis-server',
    )
  }
  say("installing redis-server (running as root)")
  for (const [command, ...args] of commands) run(command, args, WITHOUT_QUESTIONS)
  if (!findRedis())
    fail("redis-server is still not there after installing it", "set HEADRACE_REDIS_SERVER to its path")
}

function findRedis() {
  const given = process.env.HEADRACE_REDIS_SERVER
  return given ? executable(given) : findOnPath("redis-server", REDIS_FOLDERS)
}

/** A test whose program is not there is skipped by name, so nothing fails for want of one. */
function installTestPrograms(programs) {
  const missing = programs.filter(({ program }) => !isThere(program))
  if (missing.length === 0 || process.platform !== "linux") return
  const names = missing.map(({ program }) => program).join(", ")
  const commands = installCommands({ "apt-get": missing.map(({ debian }) => debian) })
  if (!commands) return say(`tests will be skipped that need ${names}`)
  say(`installing ${names} (running as root)`)
  for (const [command, ...args] of commands) {
    spawnSync(command, args, {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, ...WITHOUT_QUESTIONS },
    })
  }
}

function isThere(program) {
  return program.startsWith("/") ? existsSync(program) : Boolean(findOnPath(program, SBIN_FOLDERS))
}

/** turbo puts what it has in its cache over what is there: a chunk of an older bundle would stay, and be packed. */
function bundlePrograms() {
  for (const name of PROGRAMS) rmSync(join(ROOT, name, "bundle"), { recursive: true, force: true })
  turbo("bundle")
}

/** Builds or bundles what has changed. */
function turbo(task) {
  const quietTurbo = { TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1", TURBO_NO_UPDATE_NOTIFIER: "1" }
  const args = ["run", task, "--output-logs=errors-only", "--log-prefix=none"]
  const result = spawnSync(join(BIN, "turbo"), args, {
    cwd: ROOT,
    encoding: "utf8",
    env: { ...process.env, ...quietTurbo, PATH: `${BIN}${delimiter}${process.env.PATH}` },
  })
  if (result.status !== 0) fail(`the ${task} failed:\n${result.stdout}${result.stderr}`, "fix what it names")
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
      "its own message is above",
    )
  }
}

function say(text) {
  if (!quiet || text.startsWith("installing")) process.stderr.write(`headrace: ${text}\n`)
}

function fail(message, hint) {
  process.stderr.write(`headrace: ${message}\n  ${hint}\n`)
  process.exit(1)
}
