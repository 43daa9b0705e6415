import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { getPriority, setPriority } from "node:os"

/**
 * The priority of this process, as a nice value. Where the kernel schedules by session, a nice value counts inside its session
 * alone, and the session has one of its own (sched(7), autogroup).
 */
export function ownPriority(): number {
  const session = sessionPriority("self")
  return session === undefined ? getPriority() : Math.max(session, getPriority())
}

/** Takes a priority, with that of the session; below 0 only as root. Programs that are started later inherit the first. */
export function takePriority(nice: number): void {
  setPriority(nice)
  if (sessionPriority("self") !== undefined) writeFileSync("/proc/self/autogroup", `${nice}`)
}

/** Puts this process before the programs that it has started, until the function that it gives is called; as root alone. */
export function goFirst(): () => void {
  if (process.getuid?.() !== 0) return () => undefined
  const before = ownPriority()
  takePriority(Math.max(-20, before - 15))
  return () => takePriority(before)
}

/** Gives a program that leads a session of its own the priority of ours, if that is not the usual one. */
export function shareSessionPriority(pid: number): void {
  const own = sessionPriority("self")
  if (own === undefined || own === 0) return
  try {
    writeFileSync(`/proc/${pid}/autogroup`, `${own}`)
  } catch {
    // It has ended already.
  }
}

/** Undefined where the kernel does not schedule by session. */
function sessionPriority(process: string): number | undefined {
  const path = `/proc/${process}/autogroup`
  if (!existsSync(path)) return undefined
  const [, nice] = / nice (-?\d+)/.exec(readFileSync(path, "utf8")) ?? []
  return nice === undefined ? undefined : Number(nice)
}
