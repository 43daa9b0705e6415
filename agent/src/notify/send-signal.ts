import { open, readdir, readFile, stat } from "node:fs/promises"
import { HeadraceError } from "@headrace/shared/foundation/errors"

export interface SignalOptions {
  signal: string
  pidFile?: string | undefined
  /** Name as in /proc/PID/comm, which the kernel cuts at 15 bytes. */
  process?: string | undefined
}

const COMM_LENGTH = 15

/**
 * Sends a signal to the process of a pid file, or to every process of a name. Throws `notify/no-process` when
 * there is none, which is retried: it may be about to start.
 */
export async function sendSignal(options: SignalOptions): Promise<void> {
  const name = options.process
  const pids = name === undefined ? [await pidIn(options.pidFile ?? "")] : await pidsNamed(name)
  const told = pids.filter((pid) => kill(pid, `SIG${options.signal}`))
  if (told.length > 0) return
  throw new HeadraceError("notify/no-process", `no process for ${name ?? options.pidFile}`, {
    hint: "Check the pid file or name; processes of other containers need shareProcessNamespace.",
  })
}

async function pidIn(file: string): Promise<number> {
  const { text, owner } = await readPidFile(file).catch((cause: unknown) => {
    throw new HeadraceError("notify/no-process", `cannot read the pid file ${file}`, { cause })
  })
  // 0 and negative numbers would mean groups, 1 is init.
  const pid = /^\d{1,10}$/.test(text.trim()) ? Number(text) : 0
  if (pid <= 1) throw new HeadraceError("notify/no-process", `${file} holds no process id`)
  if (await mayName(owner, pid)) return pid
  throw new HeadraceError(
    "notify/no-process",
    `${file} of user ${owner} names process ${pid}, which is not that user's`,
    {
      hint: "Let the process write its pid file itself, or as root.",
    },
  )
}

async function readPidFile(file: string): Promise<{ text: string; owner: number }> {
  const handle = await open(file)
  try {
    const { uid: owner } = await handle.stat()
    return { text: await handle.readFile("utf8"), owner }
  } finally {
    await handle.close()
  }
}

/** A user who writes a pid file must not have root signal what that user could not. */
async function mayName(owner: number, pid: number): Promise<boolean> {
  if (owner === 0 || owner === process.geteuid?.()) return true
  const found = await stat(`/proc/${pid}`).catch(() => undefined)
  return found === undefined || found.uid === owner
}

async function pidsNamed(name: string): Promise<number[]> {
  const cut = Buffer.from(name).subarray(0, COMM_LENGTH).toString()
  const entries = await readdir("/proc").catch(() => [])
  const pids = entries.filter((entry) => /^\d+$/.test(entry)).map(Number)
  const names = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")))
  return pids.filter((pid, position) => pid !== process.pid && names[position]?.trimEnd() === cut)
}

function kill(pid: number, signal: string): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}
