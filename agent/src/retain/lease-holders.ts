import fs from "node:fs"

/** A process that keeps a revision from being pruned. */
export interface LeaseHolder {
  /** Null for one that cannot be seen from here: in another PID namespace. */
  pid: number | null
  /** Its name, as in /proc/PID/comm; null where it cannot be read. */
  program: string | null
  /** `shared`, as leases are, or an `exclusive` lock, which counts as one. */
  kind: "shared" | "exclusive"
}

/** A line of proc_pid_fdinfo(5) for a lock on an open file: `lock: 1: FLOCK  ADVISORY  READ 1234 fe:01:131 0 EOF`. */
const LOCK = /^lock:\s+\d+: FLOCK +\S+ +(READ|WRITE) /m

/**
 * The processes that hold an flock(2) on a file or folder, by the files that they have open: the one that took it may
 * have handed it on and ended. Those that /proc does not show are not among them.
 */
export function lockHolders(path: string): LeaseHolder[] {
  const file = fs.lstatSync(path, { throwIfNoEntry: false })
  if (!file) return []
  const pids = namesIn("/proc").filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
  return pids.flatMap((pid) => {
    const kind = lockOf(pid, file)
    return kind === undefined ? [] : [{ pid: Number(pid), program: programOf(pid), kind }]
  })
}

function lockOf(pid: string, file: fs.Stats): LeaseHolder["kind"] | undefined {
  for (const fd of namesIn(`/proc/${pid}/fd`)) {
    const found = attempt(() => fs.statSync(`/proc/${pid}/fd/${fd}`, { throwIfNoEntry: false }))
    if (found?.ino !== file.ino || found.dev !== file.dev) continue
    const [, lock] =
      LOCK.exec(attempt(() => fs.readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8")) ?? "") ?? []
    if (lock !== undefined) return lock === "WRITE" ? "exclusive" : "shared"
  }
  return undefined
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

function programOf(pid: string): string | null {
  return attempt(() => fs.readFileSync(`/proc/${pid}/comm`, "utf8").trimEnd()) ?? null
}
