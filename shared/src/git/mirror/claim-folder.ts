import { lstatSync, type Stats } from "node:fs"
import { access, constants, link, readFile, readlink, rm, stat, writeFile } from "node:fs/promises"
import { hostname } from "node:os"
import { join, resolve } from "node:path"
import { isDeepStrictEqual } from "node:util"
import { z } from "zod"
import { HeadraceError } from "../../foundation/errors.ts"
import { madeByStranger } from "../../foundation/made-by-stranger.ts"
import { makeFolder } from "../../foundation/make-folder.ts"
import { parseJson } from "../../foundation/parse-json.ts"
import { withOpenFile } from "../../foundation/with-open-file.ts"

/** A mirror's place that is ours until it is released. */
export interface Claim {
  place: string
  release(): Promise<void>
}

const Owner = z.strictObject({ host: z.string(), pid: z.int(), started: z.string() })
type Owner = z.infer<typeof Owner>

const MOST_PROGRAMS = 32
const HEARTBEAT = 10_000
/** Without a sign of life this long, an owner whose processes are not ours to see counts as gone. */
const SILENCE = 120_000

/**
 * Claims a folder for a mirror: NAME.git, or NAME-2.git and so on when another program holds it, since two
 * programs must not repair or maintain one mirror at once. A file beside it names the owner; one whose process has
 * ended is taken over. An owner in another container or on another host is judged by its heartbeat alone: a host name
 * and process ids say nothing there, since the containers of a Pod share the one and count the others from 1. Throws
 * `git/no-mirror-folder`, `git/mirrors-unwritable`, `git/foreign-mirror`.
 */
export async function claimFolder(folder: string, name: string): Promise<Claim> {
  await checkMirrorsFolder(folder)
  for (let slot = 1; slot <= MOST_PROGRAMS; slot++) {
    const place = join(folder, `${name}${slot === 1 ? "" : `-${slot}`}.git`)
    refuseStrangers(place)
    const file = `${place}.owner`
    const owner = await ownerNow()
    if ((await write(file, owner)) || (await takeOver(file, owner))) return held(place, file, owner)
  }
  throw new HeadraceError(
    "git/no-mirror-folder",
    `${MOST_PROGRAMS} programs hold mirrors of ${name} in ${folder}`,
    {
      hint: "Give each program a folder of its own (mirrors in its settings).",
    },
  )
}

/** Makes the folder that mirrors are kept in. Throws `git/mirrors-unwritable`, `git/foreign-mirror`. */
export async function checkMirrorsFolder(folder: string): Promise<void> {
  refuseStrangers(folder)
  try {
    await makeFolder(folder)
    await access(folder, constants.W_OK | constants.X_OK)
  } catch (cause) {
    const user = process.getuid?.()
    throw new HeadraceError(
      "git/mirrors-unwritable",
      `user ${user} cannot write to ${folder}, where mirrors are kept`,
      {
        hint: "Name a folder that it can write as mirrors in the settings, such as a volume of the pod.",
        cause,
      },
    )
  }
}

/** A mirror's own configuration names programs that git runs: as root it must be no one else's. */
function refuseStrangers(path: string): void {
  if (process.geteuid?.() !== 0) return
  const made = madeByStranger(resolve(path), lookAt, (uid) => uid === 0)
  if (made === undefined) return
  throw new HeadraceError(
    "git/foreign-mirror",
    `${made.path} belongs to user ${made.uid}, in a folder where everybody can make one`,
    { hint: "Keep mirrors in a folder that only root can make, or give that one to root." },
  )
}

/** Nothing is below what is no folder, or cannot be looked at: making the mirror names why. */
function lookAt(place: string): Stats | undefined {
  try {
    return lstatSync(place, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

function held(place: string, file: string, owner: Owner): Claim {
  const beat = setInterval(() => void showLife(file, owner).catch(() => undefined), HEARTBEAT)
  beat.unref()
  return {
    place,
    async release() {
      clearInterval(beat)
      if (await isOf(file, owner)) await rm(file, { force: true })
    },
  }
}

/** False when another program has taken over, as from one that was stopped for minutes: the file is that one's. */
async function isOf(file: string, owner: Owner): Promise<boolean> {
  const found = await readOwner(file)
  return isDeepStrictEqual(found, owner)
}

/**
 * Has the file changed now by the clock of its file system, which all who share it have in common: clocks of hosts may be
 * minutes apart. Its first byte is written again, so that a power cut leaves it as it is.
 */
async function showLife(file: string, owner: Owner): Promise<void> {
  if (!(await isOf(file, owner))) return
  await withOpenFile(file, "r+", (handle) => handle.write("{", 0))
}

/**
 * Puts ours in the place of a file whose owner has ended. Behind a guard, and checked again behind it: of two that
 * have both seen the dead one's, the second would remove the first one's. False when it is owned, or another is at it.
 */
async function takeOver(file: string, owner: Owner): Promise<boolean> {
  if (await isOwned(file)) return false
  const guard = `${file}.takeover`
  if (!(await write(guard, owner))) {
    // Left by a program that died behind it: the next process may take over.
    if (!(await isOwned(guard))) await rm(guard, { force: true })
    return false
  }
  try {
    if (await isOwned(file)) return false
    await rm(file, { recursive: true, force: true })
    return await write(file, owner)
  } finally {
    await rm(guard, { force: true })
  }
}

/** False when there is one already: a link appears whole or not at all. */
async function write(file: string, owner: Owner): Promise<boolean> {
  const draft = draftOf(file)
  await writeFile(draft, JSON.stringify(owner))
  try {
    await link(draft, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

async function ownerNow(): Promise<Owner> {
  return { host: await ownHost(), pid: process.pid, started: await startOf(process.pid) }
}

function draftOf(file: string): string {
  return `${file}.${process.pid}-${Math.random().toString(36).slice(2)}`
}

async function isOwned(file: string): Promise<boolean> {
  const owner = await readOwner(file)
  if (owner === undefined) return false
  if (owner !== "unknown" && owner.host === (await ownHost()))
    return (await startOf(owner.pid)) === owner.started && isAlive(owner.pid)
  const sign = await stat(file).catch(() => undefined)
  return sign !== undefined && (await fileTime(file)) - sign.mtimeMs < SILENCE
}

/** Now, by the clock that the times of files beside this one are of. */
async function fileTime(file: string): Promise<number> {
  const draft = draftOf(file)
  try {
    await writeFile(draft, "")
    return (await stat(draft)).mtimeMs
  } finally {
    await rm(draft, { force: true })
  }
}

/**
 * Where process ids mean what they mean here: the host name, this boot of the kernel and the PID namespace (proc(5),
 * pid_namespaces(7)). One text, so that an earlier version, which wrote the host name alone, takes it for another host.
 */
async function ownHost(): Promise<string> {
  const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "")
  const namespace = await readlink("/proc/self/ns/pid").catch(() => "")
  return [hostname(), boot.trim(), namespace].join(" ")
}

/**
 * The owner that a file names. Undefined: there is none, or a power cut has left half of one. "unknown": the file is
 * another user's to read, or another version's; its heartbeat alone says whether that program is alive.
 */
async function readOwner(file: string): Promise<Owner | "unknown" | undefined> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) =>
    error.code === "ENOENT" ? undefined : null,
  )
  if (text === undefined) return undefined
  if (text === null) return "unknown"
  const value = parseJson(text)
  if (value === undefined) return undefined
  const owner = Owner.safeParse(value)
  return owner.success ? owner.data : "unknown"
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"
  }
}

/** When a process started, in ticks since boot (proc(5), stat, field 22), as ids are used again; "" without /proc. */
async function startOf(pid: number): Promise<string> {
  const line = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")
  return line.slice(line.lastIndexOf(")") + 2).split(" ")[19] ?? ""
}
