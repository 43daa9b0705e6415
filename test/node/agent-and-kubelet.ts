import { readFile, readlink } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"

const LOOK_MS = 10

/** What one way showed: since when each generation, in milliseconds since 1970, and how often it mixed generations. */
export interface Shown {
  since: Map<number, number>
  states: number
  torn: number
}

/** Reads the generation of each file of a folder, through its `..data` once, until the signal aborts. */
export async function watchGenerations(
  folder: () => string,
  files: readonly string[],
  signal: AbortSignal,
): Promise<Shown> {
  const shown: Shown = { since: new Map(), states: 0, torn: 0 }
  let last = ""
  while (!signal.aborted) {
    const generations = await readGenerations(folder(), files).catch(() => undefined)
    const state = generations?.join() ?? last
    if (generations && state !== last) {
      last = state
      shown.states += 1
      if (new Set(generations).size > 1) shown.torn += 1
      const oldest = Math.min(...generations)
      if (!shown.since.has(oldest)) shown.since.set(oldest, Date.now())
    }
    await delay(LOOK_MS, undefined, { signal }).catch(() => undefined)
  }
  return shown
}

async function readGenerations(folder: string, files: readonly string[]): Promise<number[]> {
  const data = await readlink(join(folder, "..data"))
  return Promise.all(files.map(async (file) => Number(await readFile(join(folder, data, file), "utf8"))))
}

/** Milliseconds from each generation's start until a way showed it or a later one, ascending. */
export function delaysOf(shown: Shown, started: ReadonlyMap<number, number>): number[] {
  const delays = [...started].flatMap(([generation, at]) => {
    const times = [...shown.since].flatMap(([seen, since]) => (seen >= generation ? [since] : []))
    return times.length === 0 ? [] : [Math.min(...times) - at]
  })
  return delays.sort((a, b) => a - b)
}

/** The value that a share of them does not exceed. */
export function percentile(ascending: readonly number[], share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.ceil(share * ascending.length) - 1)] ?? Number.NaN
}

/** The largest memory that a process has had, in MiB. */
export async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8")
  return Math.round(Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024)
}
