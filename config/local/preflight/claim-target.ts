import { existsSync } from "node:fs"
import { link, readFile, rm, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { HeadraceError, UsageError } from "@headrace/shared/foundation/errors"
import { makeFolder } from "@headrace/shared/foundation/make-folder"

/** Names the process that shows a branch in a target; no cluster can have this name. */
const OWNER_FILE = ".headrace-up"
const ATTEMPTS = 3

/**
 * Makes the target folder and claims it for this process; what it returns releases it. A claim whose process has ended
 * is taken over. Throws UsageError `local/target` where no folder can be made or written, HeadraceError
 * `local/target-taken` with the id of the process that has it.
 */
export async function claimTarget(target: string): Promise<() => Promise<void>> {
  await makeTarget(target)
  refuseWorkTree(target)
  const file = join(target, OWNER_FILE)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await isWritten(file, target)) return () => rm(file, { force: true })
    const owner = await readOwner(file)
    if (owner !== undefined && (await isRunning(owner))) throw taken(target, owner.pid)
    await rm(file, { force: true })
  }
  throw taken(target, undefined)
}

/** Projections in a checkout would be among its files, for the next commit or clean to take. */
function refuseWorkTree(target: string): void {
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

function taken(target: string, pid: number | undefined): HeadraceError {
  const by = pid === undefined ? "by another program" : `by the "up" with process id ${pid}`
  return new HeadraceError("local/target-taken", `the target ${target} is in use ${by}`, {
    hint: pid === undefined ? "Give another --target." : `Stop it (kill ${pid}), or give another --target.`,
  })
}
