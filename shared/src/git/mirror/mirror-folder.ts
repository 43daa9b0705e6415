import { readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { canonicalJson } from "../../foundation/canonical-json.ts"
import { makeFolder } from "../../foundation/make-folder.ts"
import { runGit } from "../process/run-git.ts"
import { damagedPack } from "./damaged-pack.ts"
import { noteTended } from "./upkeep.ts"

/** What a mirror is of. Written into the mirror, so that a mirror of another remote is detected. */
export interface MirrorIdentity {
  format: 1
  url: string
  branch?: string
  /** A tag or commit instead of a branch. */
  ref?: string
}

const IDENTITY_FILE = "headrace.json"

/** How a repository names its objects. */
export type ObjectFormat = "sha1" | "sha256"

/** Makes an empty bare repository at `place`, no templates and so no hooks in it. Throws `git/…`. */
export async function createMirror(
  place: string,
  identity: MirrorIdentity,
  format: ObjectFormat = "sha1",
): Promise<void> {
  await makeFolder(dirname(place))
  const fresh = `${place}.new-${process.pid}`
  await rm(fresh, { recursive: true, force: true })
  await runGit({
    args: [
      "init",
      "--quiet",
      "--bare",
      "--template=",
      "--initial-branch=headrace",
      `--object-format=${format}`,
      "--end-of-options",
      fresh,
    ],
  })
  await writeFile(join(fresh, IDENTITY_FILE), `${canonicalJson(identity)}\n`)
  await noteTended(fresh)
  await swapMirror(fresh, place)
}

/** Puts the mirror at `fresh` in the place of the one that may be there. */
export async function swapMirror(fresh: string, place: string): Promise<void> {
  const old = `${place}.old-${process.pid}`
  await rm(old, { recursive: true, force: true })
  await rename(place, old).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error
  })
  await rename(fresh, place)
  await rm(old, { recursive: true, force: true })
}

/** Why the mirror at `place` cannot be used as it is; undefined when it can. */
export async function mirrorFault(place: string, identity: MirrorIdentity): Promise<string | undefined> {
  const written = await readFile(join(place, IDENTITY_FILE), "utf8").catch(() => undefined)
  if (written === undefined) return "missing or half made"
  if (written.trim() !== canonicalJson(identity)) return "of another remote, branch, tag or commit"
  // Its configuration could name programs.
  if (!(await isTrusted(place))) return "of another user"
  const names = await readdir(place)
  const missing = ["HEAD", "objects", "refs"].find((name) => !names.includes(name))
  if (missing !== undefined) return `without ${missing}`
  // Never our doing, and it would cut the history that is counted.
  if (names.includes("shallow")) return "shallow"
  const pack = await damagedPack(join(place, "objects", "pack"), await objectFormat(place))
  return pack === undefined ? undefined : `with a damaged pack, ${pack}`
}

async function isTrusted(place: string): Promise<boolean> {
  const { uid } = await stat(place)
  return uid === 0 || uid === (process.geteuid?.() ?? uid)
}

/** By the mirror's own configuration: git-config(1), extensions.objectFormat. */
async function objectFormat(place: string): Promise<ObjectFormat> {
  const config = await readFile(join(place, "config"), "utf8").catch(() => "")
  return /^\s*objectformat\s*=\s*sha256\s*$/im.test(config) ? "sha256" : "sha1"
}
