import { execFile } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { chmod, copyFile, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, "../..")
const CACHE = join(ROOT, ".cache")
const PROGRAMS = ["plugin", "bootstrapper", "agent"]
/** What config/image/Dockerfile installs, and what Node's own image has. */
const DEBIAN_PACKAGES = "ca-certificates,git,openssh-client,libnss-wrapper,libstdc++6"

/**
 * Makes the root file system that config/image/Dockerfile describes, where there is no image registry: Debian by
 * debootstrap(8), once (HEADRACE_IMAGE_BASE or .cache/image-base), Node, and what
 * config/package/image-folder.mjs makes.
 */
export async function makeImageRoot(folder: string): Promise<void> {
  await run(process.execPath, [join(ROOT, "config/local/prepare.mjs"), "--bundle", "--quiet"])
  await run("cp", ["-al", await debianBase(), folder])
  await writeUser(folder)
  await copyFile(join(ROOT, "node_modules/node/bin/node"), join(folder, "usr/local/bin/node"))
  await run(process.execPath, [join(ROOT, "config/package/image-folder.mjs"), join(folder, "headrace")])
  for (const name of PROGRAMS)
    await symlink(`/headrace/${name}/bundle/main.js`, join(folder, `usr/local/bin/headrace-${name}`))
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
