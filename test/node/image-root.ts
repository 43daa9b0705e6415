import { execFile } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { chmod, copyFile, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { promisify } from "node:util"

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, "../..")
const CACHE = join(ROOT, ".cache")
const PARTS = ["shared", "plugin", "bootstrapper", "agent"]
/** What config/image/Dockerfile installs, and what Node's own image has. */
const DEBIAN_PACKAGES = "ca-certificates,git,openssh-client,libnss-wrapper,libstdc++6"

interface Locked {
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}

/**
 * Makes the root file system that config/image/Dockerfile describes, where there is no image registry: Debian by
 * debootstrap(8), once (HEADRACE_IMAGE_BASE or .cache/image-base), Node, and the built programs with the packages that
 * they depend on. Files are hard links to the project's.
 */
export async function makeImageRoot(folder: string): Promise<void> {
  await run(process.execPath, [join(ROOT, "config/local/prepare.mjs"), "--build", "--quiet"])
  await run("cp", ["-al", await debianBase(), folder])
  await writeUser(folder)
  await copyFile(join(ROOT, "node_modules/node/bin/node"), join(folder, "usr/local/bin/node"))
  const home = join(folder, "headrace")
  await mkdir(join(home, "node_modules/@headrace"), { recursive: true })
  for (const name of packagesOf(PARTS)) {
    const from = join(ROOT, "node_modules", name)
    if (!existsSync(from)) continue
    await mkdir(dirname(join(home, "node_modules", name)), { recursive: true })
    await run("cp", ["-al", from, join(home, "node_modules", name)])
  }
  for (const part of PARTS) {
    await mkdir(join(home, part))
    await run("cp", ["-al", join(ROOT, part, "dist"), join(ROOT, part, "package.json"), join(home, part)])
    if (part === "shared") await symlink("../../shared", join(home, "node_modules/@headrace/shared"))
    else await linkProgram(folder, part)
  }
}

async function linkProgram(folder: string, part: string): Promise<void> {
  const main = join(folder, "headrace", part, "dist/main.js")
  // The file is the project's own: a copy gets the mode.
  await copyFile(main, `${main}.copy`)
  await rename(`${main}.copy`, main)
  await chmod(main, 0o755)
  await symlink(`/headrace/${part}/dist/main.js`, join(folder, `usr/local/bin/headrace-${part}`))
}

/** The root of a container that only sleeps or reads: busybox, static. */
export async function makeBusyboxRoot(folder: string): Promise<void> {
  await mkdir(join(folder, "bin"), { recursive: true })
  await copyFile("/bin/busybox", join(folder, "bin/busybox"))
  await chmod(join(folder, "bin/busybox"), 0o755)
  for (const name of ["sh", "sleep", "cat", "ls"]) await symlink("busybox", join(folder, "bin", name))
}

async function debianBase(): Promise<string> {
  const base = process.env.HEADRACE_IMAGE_BASE ?? join(CACHE, "image-base")
  if (existsSync(base)) return base
  await rm(`${base}.tmp`, { recursive: true, force: true })
  await run("debootstrap", ["--variant=minbase", `--include=${DEBIAN_PACKAGES}`, "bookworm", `${base}.tmp`], {
    maxBuffer: 2 ** 26,
  })
  await rename(`${base}.tmp`, base)
  return base
}

/** As the Dockerfile's useradd; new files, because those of the base are shared by hard links. */
async function writeUser(folder: string): Promise<void> {
  const lines = {
    passwd: "headrace:x:65532:65532::/nonexistent:/usr/sbin/nologin\n",
    group: "headrace:x:65532:\n",
  }
  for (const [name, line] of Object.entries(lines)) {
    const file = join(folder, "etc", name)
    const text = readFileSync(file, "utf8")
    await rm(file)
    await writeFile(file, text.replace(/^headrace:.*\n/m, "") + line)
  }
}

/** Every package that these parts of the workspace depend on, by the lock. */
function packagesOf(parts: readonly string[]): Set<string> {
  const { packages } = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
    packages: Record<string, Locked>
  }
  const needs = (path: string) =>
    Object.keys({ ...packages[path]?.dependencies, ...packages[path]?.optionalDependencies })
  const found = new Set<string>()
  const open = parts.flatMap(needs)
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name) || name.startsWith("@headrace/")) continue
    found.add(name)
    open.push(...needs(`node_modules/${name}`))
  }
  return found
}
