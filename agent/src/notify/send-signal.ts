import { open, readdir, readFile } from "node:fs/promises"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import { maySignal, seesOwnPodOnly, userOf } from "./may-signal.ts"

export interface SignalOptions {
  signal: string
  pidFile?: string | undefined
  /** Name as in /proc/PID/comm, which the kernel cuts at 15 bytes. */
  process?: string | undefined
}

const COMM_LENGTH = 15

/**
 * Sends a signal to the process of a pid file, or to every process of a name: in a Pod, on a node only to those of the
 * agent's own user or that it has started (`isOwnPod` says which). Throws `notify/no-process` when there is none, which is
 * retried: it may be about to start.
 */
export async function sendSignal(options: SignalOptions, isOwnPod?: boolean): Promise<void> {
  const name = options.process
  const isPod = isOwnPod ?? (await seesOwnPodOnly())
  const pids = name === undefined ? [await pidIn(options.pidFile ?? "", isPod)] : await pidsNamed(name, isPod)
  const told = pids.filter((pid) => kill(pid, `SIG${options.signal}`))
  if (told.length > 0) return
  throw new HeadraceError("notify/no-process", `no process for ${name ?? options.pidFile}`, {
    hint: "Check the pid file or name; processes of other containers need shareProcessNamespace, and on a node processes of another user their own pid file.",
  })
}

async function pidIn(file: string, isOwnPod: boolean): Promise<number> {
  const { text, owner } = await readPidFile(file).catch((cause: unknown) => {
    throw new HeadraceError("notify/no-process", `cannot read the pid file ${file}`, { cause })
  })
  // 0 and negative numbers would mean groups, 1 is init.
  const pid = /^\d{1,10}$/.test(text.trim()) ? Number(text) : 0
  if (pid <= 1) throw new HeadraceError("notify/no-process", `${file} holds no process id`)
  if (await mayName(owner, pid, isOwnPod)) return pid
  throw new HeadraceError(
    "notify/no-process",
    `${file} of user ${owner} names process ${pid}, which is not that user's`,
    {
      hint: "Let the process write its pid file itself.",
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

/**
 * A user who writes a pid file must not have root signal what that user could not. One of root or of ours names what the
 * agent may signal anyway: a file that outlived its process can name any other by now.
 */
async function mayName(owner: number, pid: number, isOwnPod: boolean): Promise<boolean> {
  const user = await userOf(pid)
  if (user === undefined || user === owner) return true
  return (owner === 0 || owner === process.geteuid?.()) && maySignal(pid, isOwnPod)
}

async function pidsNamed(name: string, isOwnPod: boolean): Promise<number[]> {
  const cut = Buffer.from(name).subarray(0, COMM_LENGTH).toString()
  const entries = await readdir("/proc").catch(() => [])
  const pids = entries.filter((entry) => /^\d+$/.test(entry)).map(Number)
  const names = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")))
  const named = pids.filter((pid, position) => pid !== process.pid && names[position]?.trimEnd() === cut)
  const areOurs = await Promise.all(named.map((pid) => maySignal(pid, isOwnPod)))
  return named.filter((_, position) => areOurs[position])
}

function kill(pid: number, signal: string): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}
