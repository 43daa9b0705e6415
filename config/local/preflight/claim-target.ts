import { existsSync } from "node:fs"
import { link, readFile, rm, stat, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { HeadraceError, UsageError } from "@headrace/shared/foundation/errors"
import { makeFolder } from "@headrace/shared/foundation/make-folder"
import { isSystemFolder } from "@headrace/shared/foundation/system-folder"

/** Names the process that has a folder: the target of an "up", or its state. No cluster can have this name. */
const OWNER_FILE = ".headrace-up"
const ATTEMPTS = 3

/** What a folder is to an "up", and the flag that names it. */
type Use = "target" | "state"
const TAKEN = { target: "local/target-taken", state: "local/state-taken" } as const

/**
 * Makes the target folder and claims it for this process; what it returns releases it. A claim whose process has ended
 * is taken over. Throws UsageError `local/target` where no folder can be made or written, HeadraceError
 * `local/target-taken` with the id of the process that has it, or a folder above it.
 */
export async function claimTarget(target: string): Promise<() => Promise<void>> {
  await refuseTakenAbove(target, "target")
  refuseForeign(target)
  await makeTarget(target)
  return claim(target, "target")
}

/** Claims the state folder, which is there, in the same way. Throws HeadraceError `local/state-taken`. */
export async function claimState(folder: string): Promise<() => Promise<void>> {
  await refuseTakenAbove(folder, "state")
  return claim(folder, "state")
}

async function claim(folder: string, use: Use): Promise<() => Promise<void>> {
  const file = join(folder, OWNER_FILE)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await isWritten(file, folder)) return () => rm(file, { force: true })
    const owner = await readOwner(file)
    if (owner !== undefined && (await isRunning(owner))) throw taken({ folder, use, pid: owner.pid })
    await rm(file, { force: true })
  }
  throw taken({ folder, use, pid: undefined })
}

/** What another "up" shows in a folder is its own, down to the last file. A state folder may be in one's own target. */
async function refuseTakenAbove(folder: string, use: Use): Promise<void> {
  for (let above = dirname(folder); above !== dirname(above); above = dirname(above)) {
    const owner = await readOwner(join(above, OWNER_FILE))
    if (owner === undefined || owner.pid === process.pid || !(await isRunning(owner))) continue
    throw taken({ folder, use, pid: owner.pid, above })
  }
}

/** Projections in a checkout would be among its files, for the next commit or clean to take. Nor do they go among the system's. */
function refuseForeign(target: string): void {
  if (isSystemFolder(target)) {
    throw new UsageError("local/target", `the target ${target} is a folder of the system`, {
      hint: "Give --target a folder of its own, below it.",
    })
  }
  if (!existsSync(join(target, ".git"))) return
  throw new UsageError("local/target", `the target ${target} is a git work tree`, {
    hint: "Give --target a folder of its own, outside of it.",
  })
}

interface Owner {
  pid: number
  /** From `startOf`; process ids are used again. */
  started: string
}

async function makeTarget(target: string): Promise<void> {
  try {
    await makeFolder(target)
  } catch (cause) {
    throw await noFolder(target, cause as NodeJS.ErrnoException)
  }
}

async function noFolder(target: string, cause: NodeJS.ErrnoException): Promise<UsageError> {
  const isFile = await stat(target).then(
    (found) => !found.isDirectory(),
    () => false,
  )
  const hint = "Give --target a folder of your own, or a path where one can be made."
  if (isFile) return new UsageError("local/target", `the target ${target} is a file`, { hint })
  const message = `the target ${target}: no folder can be made there (${cause.code ?? cause.message})`
  return new UsageError("local/target", message, { hint })
}

/** True once the file names this process: a link appears whole or not at all. */
async function isWritten(file: string, target: string): Promise<boolean> {
  const draft = `${file}.${process.pid}`
  const owner: Owner = { pid: process.pid, started: await startOf(process.pid) }
  try {
    await writeFile(draft, JSON.stringify(owner))
    await link(draft, file)
    return true
  } catch (error) {
    const cause = error as NodeJS.ErrnoException
    if (cause.code === "EEXIST") return false
    throw await noFolder(target, cause)
  } finally {
    await rm(draft, { force: true }).catch(() => undefined)
  }
}

async function readOwner(file: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Owner
  } catch {
    return undefined
  }
}

async function isRunning({ pid, started }: Owner): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false
  }
  return (await startOf(pid)) === started
}

/** When a process started, in ticks since boot (man 5 proc, stat, field 22); "" without /proc. */
async function startOf(pid: number): Promise<string> {
  const line = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")
  return line.slice(line.lastIndexOf(")") + 2).split(" ")[19] ?? ""
}

function taken(claimed: {
  folder: string
  use: Use
  pid: number | undefined
  above?: string
}): HeadraceError {
  const { folder, use, pid, above } = claimed
  const by = pid === undefined ? "by another program" : `by the "up" with process id ${pid}`
  const what = above === undefined ? "is in use" : `is inside of ${above}, which is in use`
  return new HeadraceError(TAKEN[use], `the ${use} ${folder} ${what} ${by}`, {
    hint: pid === undefined ? `Give another --${use}.` : `Stop it (kill ${pid}), or give another --${use}.`,
  })
}
