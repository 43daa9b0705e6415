import { readdirSync, readFileSync } from "node:fs"
import { loadKoffi } from "./load-koffi.ts"

const WITHOUT_WAITING = 1
const LOOK_MS = 1000

/**
 * Reaps processes that have lost their parent, while this one is the first of its pid namespace: they become its
 * children, and a zombie of each stays otherwise (pid_namespaces(7)). Node reaps its own children, at once; so a zombie
 * that is there at two looks is none of those. Gives a function that ends it; undefined where waitpid cannot be called.
 */
export function reapOrphans(parent: number = process.pid, every = LOOK_MS): (() => void) | undefined {
  const waitpid = loadWaitpid()
  if (waitpid === undefined) return undefined
  let before = new Set<number>()
  const timer = setInterval(() => {
    const zombies = zombiesOf(parent)
    for (const pid of zombies) if (before.has(pid)) waitpid(pid)
    before = new Set(zombies)
  }, every)
  timer.unref()
  return () => clearInterval(timer)
}

/** Children of a process that have ended and are not reaped. */
export function zombiesOf(parent: number): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name))
  return pids.filter((pid) => isZombie(pid, parent)).map(Number)
}

function isZombie(pid: string, parent: number): boolean {
  try {
    // The name, in parentheses, can hold anything; state and parent follow the last one (proc(5)).
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
    const [state, parentOf] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return state === "Z" && Number(parentOf) === parent
  } catch {
    return false
  }
}

function loadWaitpid(): ((pid: number) => void) | undefined {
  try {
    const call = loadKoffi().load(null).func("int waitpid(int pid, void *status, int options)")
    return (pid) => {
      call(pid, null, WITHOUT_WAITING)
    }
  } catch {
    return undefined
  }
}
