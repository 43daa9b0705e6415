import { readdir, readFile, readlink } from "node:fs/promises"
import { createServer } from "node:net"
import { basename } from "node:path"
import { HeadraceError } from "@headrace/shared/foundation/errors"

const OWN_MAIN = /\/(agent|bootstrapper|plugin)\/(?:dist|src|bundle)\/main\.[jt]s$/

/** State of a listening socket in /proc/net/tcp (man 5 proc). */
const LISTENING = "0A"

/** Throws `local/port` when a port of 127.0.0.1 cannot be listened on, with the program that has it where that is known. */
export async function checkPort(port: number): Promise<void> {
  if (port === 0) return
  const cause = await listenOnce(port)
  if (cause === undefined) return
  if (cause.code !== "EADDRINUSE") {
    throw new HeadraceError("local/port", `port ${port} cannot be listened on (${cause.code})`, {
      hint: "Give --port a number above 1023, or 0 to let one be picked.",
    })
  }
  const holder = await portHolder(port)
  throw new HeadraceError("local/port", `port ${port} is in use${holder ? ` by ${holder}` : ""}`, {
    hint: "Give another --port, or 0 to let one be picked.",
  })
}

function listenOnce(port: number): Promise<NodeJS.ErrnoException | undefined> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once("error", resolve)
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(undefined)))
  })
}

/** `NAME (process id N)` of the program that listens on a port; undefined without /proc, or for another user's. */
async function portHolder(port: number): Promise<string | undefined> {
  const inodes = await listeningInodes(port)
  if (inodes.size === 0) return undefined
  for (const pid of await readdir("/proc").catch(() => [])) {
    if (!/^\d+$/.test(pid) || !(await holdsSocket(pid, inodes))) continue
    return `${await nameOf(pid)} (process id ${pid})`
  }
  return undefined
}

/** What a process was started as: a program of ours by its name, one of Node's by its script, any other by its own. */
async function nameOf(pid: string): Promise<string> {
  const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")
  const [program = "", ...words] = line.split("\0")
  const own = words.map((word) => OWN_MAIN.exec(word)?.[1]).find((name) => name !== undefined)
  if (own !== undefined) return `headrace-${own}`
  const script = basename(program) === "node" ? words.find((word) => /\.[cm]?[jt]s$/.test(word)) : undefined
  return script ?? (basename(program) || "a program")
}

async function listeningInodes(port: number): Promise<Set<string>> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`
  const tables = ["/proc/net/tcp", "/proc/net/tcp6"].map((file) => readFile(file, "utf8").catch(() => ""))
  const lines = (await Promise.all(tables)).flatMap((table) => table.split("\n"))
  const fields = lines.map((line) => line.trim().split(/\s+/))
  return new Set(
    fields.flatMap(([, local = "", , state, , , , , , inode]) =>
      local.endsWith(suffix) && state === LISTENING && inode ? [`socket:[${inode}]`] : [],
    ),
  )
}

async function holdsSocket(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const handles = await readdir(`/proc/${pid}/fd`).catch(() => [])
  for (const handle of handles) {
    if (inodes.has(await readlink(`/proc/${pid}/fd/${handle}`).catch(() => ""))) return true
  }
  return false
}
