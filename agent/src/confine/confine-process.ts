import { mkdirSync } from "node:fs"
import { stat } from "node:fs/promises"
import { join } from "node:path"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { AgentSettings } from "@headrace/shared/settings/agent-settings"
import { z } from "zod"
import { lockFolder } from "../disk/lock-folder.ts"
import { openNodeDisk } from "../disk/node-disk.ts"
import { makeFolders } from "../layout/open-layout.ts"
import { type Confinement, confinedTo, type Grants, inodeOf, notConfined } from "./confinement.ts"
import { restrictWrites, type WritableRule, whyNoLandlock } from "./landlock.ts"
import { isStartedAgain } from "./started-again.ts"
import { type WritablePlace, writablePlaces } from "./writable-places.ts"

/** `auto`: where the kernel can, and something starts the process again; `always`: or not at all; `off`: never. */
export type ConfineMode = "auto" | "always" | "off"

/** From this process before it executed itself, to it afterwards. */
const MARK = "HEADRACE_CONFINED_PROCESS"
const Mark = z.strictObject({ pid: z.int(), inodes: z.array(z.string()), unreached: z.array(z.string()) })

/** Devices that hold nothing, which scripts write to all the time. */
const DEVICES = ["/dev/null", "/dev/zero", "/dev/full", "/dev/tty"]

const PRIVATE = 0o700

/** A folder that was replaced, or settings that name another, need a new process, which a person would have to start. */
const BY_HAND = "neither a container's runtime nor systemd has started it"

/**
 * Confines what this process writes to what the settings name, by Landlock, and executes this program again, since only the
 * calling thread and what it starts are bound. Returns only where that is done already, is off or is not possible; what
 * was read, opened or started before is gone. Temporary files go to a private folder, which TMPDIR names.
 *
 * Throws `agent/no-landlock` with `always` where it is not possible, and `agent/not-confined` where it fails half-way.
 */
export async function confineProcess(settings: AgentSettings, mode: ConfineMode): Promise<Confinement> {
  const grants = takeMark()
  if (grants !== undefined) return confinedTo(grants)
  if (mode === "off") return notConfined("it is off")
  if (mode === "auto" && !isStartedAgain()) return notConfined(BY_HAND)
  const why = whyNoLandlock()
  if (why === undefined) return executeConfined(settings)
  if (mode === "auto") return notConfined(why)
  throw new HeadraceError("agent/no-landlock", `this process cannot be confined: ${why}`, {
    hint: "Run it on Linux 5.19 or later with landlock in the lsm= list, or with --confine auto.",
  })
}

async function executeConfined(settings: AgentSettings): Promise<never> {
  const places = writablePlaces(settings)
  await makePlaces(places)
  const own = ownFolders(settings)
  const folders = [...places.filter(({ kind }) => kind === "folder").map(({ path }) => path), ...own.folders]
  const found = await Promise.all(folders.map(inodeOf))
  try {
    const unreached = restrictWrites([...places, ...own.folders.map(folderRule), ...DEVICES.map(fileRule)])
    const inodes = found.flatMap((inode, index) =>
      inode === undefined || unreached.includes(folders[index] ?? "") ? [] : [inode],
    )
    const mark = JSON.stringify({ pid: process.pid, inodes, unreached } satisfies z.infer<typeof Mark>)
    const env = { ...process.env, ...(own.temporary && { TMPDIR: own.temporary }), [MARK]: mark }
    process.execve?.(process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)], env)
    throw new Error("execve did not execute")
  } catch (cause) {
    throw new HeadraceError("agent/not-confined", "this process could not be confined", {
      hint: "Read the cause; --confine off runs the agent as it is.",
      cause,
    })
  }
}

/** Undefined where this process has not executed itself. A child gets no mark, and none of another process counts. */
function takeMark(): Grants | undefined {
  const text = process.env[MARK]
  delete process.env[MARK]
  if (text === undefined) return undefined
  const { pid, ...grants } = Mark.parse(JSON.parse(text))
  return pid === process.pid ? grants : undefined
}

/** What cannot be made now is reported by the projection that needs it, and is no reason to show none. */
async function makePlaces(places: readonly WritablePlace[]): Promise<void> {
  const disk = openNodeDisk()
  for (const { path, isMade } of places) {
    if (isMade && (await isAbsent(path))) await makeFolders(disk, path, "fsync").catch(() => undefined)
  }
}

async function isAbsent(path: string): Promise<boolean> {
  return stat(path).then(
    () => false,
    () => true,
  )
}

/** The private folders for locks, of each user that the agent publishes as, and one in them for temporary files. */
function ownFolders(settings: AgentSettings): { folders: string[]; temporary: string | undefined } {
  const user = process.geteuid?.() ?? 0
  const given = [
    ...Object.values(settings.projections),
    ...(settings.everyTarget ? [settings.everyTarget] : []),
  ]
  const owners = new Set([user, ...given.flatMap(({ permissions }) => permissions?.uid ?? [])])
  const folders = [...owners].flatMap((owner) => attempt(() => lockFolder(owner)) ?? [])
  const [own] = folders
  const temporary = own === undefined ? undefined : attempt(() => privateFolder(join(own, "tmp")))
  return { folders: [...new Set(folders)], temporary }
}

function privateFolder(path: string): string {
  mkdirSync(path, { recursive: true, mode: PRIVATE })
  return path
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}

function folderRule(path: string): WritableRule {
  return { path, kind: "folder" }
}

function fileRule(path: string): WritableRule {
  return { path, kind: "file" }
}
