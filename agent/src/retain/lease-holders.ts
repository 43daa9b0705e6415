import fs from "node:fs"

const PROC = "/proc"

/** A process that keeps a revision from being pruned. */
export interface LeaseHolder {
  /** Null for one that cannot be seen from here: in another PID namespace, say. */
  pid: number | null
  /** Its name, as in /proc/PID/comm; null where it cannot be read. */
  program: string | null
  /** `shared`, as leases are, or an `exclusive` lock, which counts as one. */
  kind: "shared" | "exclusive"
}

/** A line of proc_pid_fdinfo(5) for a lock on an open file: `lock: 1: FLOCK  ADVISORY  READ 1234 fe:01:131 0 EOF`. */
const LOCK = /^lock:\s+\d+: FLOCK +\S+ +(READ|WRITE) /m

/** A line of proc_locks(5), which names the process that took a lock: `2: FLOCK  ADVISORY  READ 1234 fe:01:131 0 EOF`. */
const LISTED = /^\d+: FLOCK +\S+ +(READ|WRITE) +(\d+) +([0-9a-f]+):([0-9a-f]+):(\d+) /gm

/**
 * The processes that hold an flock(2) on a file or folder, by the files that they have open: the one that took it may
 * have handed it on and ended. Only root sees the files of other users' processes: of these, those that took a lock
 * themselves. Those that /proc does not show are not among them.
 */
export function lockHolders(path: string, proc: string = PROC): LeaseHolder[] {
  const file = fs.lstatSync(path, { throwIfNoEntry: false })
  if (!file) return []
  const listed = listedLocks(file, proc)
  const pids = namesIn(proc).filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
  return pids.flatMap((pid) => {
    const isOpen = attempt(() => fs.readdirSync(`${proc}/${pid}/fd`)) !== undefined
    const kind = isOpen ? lockOf(`${proc}/${pid}`, file) : listed.get(pid)
    return kind === undefined ? [] : [{ pid: Number(pid), program: programOf(`${proc}/${pid}`), kind }]
  })
}

function lockOf(place: string, file: fs.Stats): LeaseHolder["kind"] | undefined {
  for (const fd of namesIn(`${place}/fd`)) {
    const found = attempt(() => fs.statSync(`${place}/fd/${fd}`, { throwIfNoEntry: false }))
    if (found?.ino !== file.ino || found.dev !== file.dev) continue
    const [, lock] = LOCK.exec(attempt(() => fs.readFileSync(`${place}/fdinfo/${fd}`, "utf8")) ?? "") ?? []
    if (lock !== undefined) return kindOf(lock)
  }
  return undefined
}

/** Kinds of the locks on a file by the process that took each. */
function listedLocks({ dev, ino }: fs.Stats, proc: string): Map<string, LeaseHolder["kind"]> {
  const text = attempt(() => fs.readFileSync(`${proc}/locks`, "utf8")) ?? ""
  // makedev(3): the minor number is in two parts.
  const [major, minor] = [(dev >>> 8) & 0xfff, (dev & 0xff) | ((dev >>> 12) & 0xfff00)]
  const found = new Map<string, LeaseHolder["kind"]>()
  for (const [, lock = "", pid = "", ...at] of text.matchAll(LISTED)) {
    const [foundMajor = "", foundMinor = "", inode] = at
    const isSame = Number.parseInt(foundMajor, 16) === major && Number.parseInt(foundMinor, 16) === minor
    if (isSame && Number(inode) === ino) found.set(pid, kindOf(lock))
  }
  return found
}

function kindOf(lock: string): LeaseHolder["kind"] {
  return lock === "WRITE" ? "exclusive" : "shared"
}

function namesIn(folder: string): string[] {
  return attempt(() => fs.readdirSync(folder)) ?? []
}

/** Undefined for a process that has ended meanwhile, or is another user's. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

function programOf(place: string): string | null {
  return attempt(() => fs.readFileSync(`${place}/comm`, "utf8").trimEnd()) ?? null
}
