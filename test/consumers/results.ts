import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { availableParallelism, loadavg } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { ownPriority } from "./priority.ts"
import type { Cell } from "./recorder.ts"
import type { Publisher } from "./site.ts"

/** What runs have measured on this machine, by publisher and row; a run of a part of the matrix adds to it. */
export type Results = Partial<Record<Publisher, Record<string, Cell>>>

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), "../../.cache/consumers/results")

/** What else the machine did meanwhile: its cores, and the least and most processes that wanted one (getloadavg(3)). */
export interface MachineLoad {
  cores: number
  least: number
  most: number
}

const LOAD = join(FOLDER, "../load.json")

/** The load of all runs whose results are kept; undefined before the first. */
export function readLoad(): MachineLoad | undefined {
  return existsSync(LOAD) ? JSON.parse(readFileSync(LOAD, "utf8")) : undefined
}

function keepLoad(): void {
  const now = Math.round(loadavg()[0] ?? 0)
  const kept = readLoad()
  const load: MachineLoad = {
    cores: availableParallelism(),
    least: Math.min(now, kept?.least ?? now),
    most: Math.max(now, kept?.most ?? now),
  }
  writeFileSync(LOAD, JSON.stringify(load))
}

export function readResults(): Results {
  mkdirSync(FOLDER, { recursive: true })
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".json"))
  return Object.fromEntries(
    files.map((name) => [name.replace(/\.json$/, ""), JSON.parse(readFileSync(join(FOLDER, name), "utf8"))]),
  )
}

/** Keeps what was measured: in place of what the rows had, or added to it. */
export function keepResults(publisher: Publisher, cells: ReadonlyMap<string, Cell>, adds: boolean): void {
  const kept = readResults()[publisher] ?? {}
  for (const [row, measured] of cells) {
    const before = adds ? kept[row] : undefined
    const cell = measured.paced > 0 ? { ...measured, nice: ownPriority() } : measured
    kept[row] = before ? sum(before, cell) : cell
  }
  writeFileSync(join(FOLDER, `${publisher}.json`), JSON.stringify(kept))
  keepLoad()
}

function sum(a: Cell, b: Cell): Cell {
  return {
    paced: a.paced + b.paced,
    noticed: a.noticed + b.noticed,
    delays: [...a.delays, ...b.delays],
    flips: a.flips + b.flips,
    readings: a.readings + b.readings,
    mixed: a.mixed + b.mixed,
    unreadable: a.unreadable + b.unreadable,
    isCurrent: a.isCurrent && b.isCurrent,
    ...weakest(a.nice, b.nice),
  }
}

function weakest(...all: (number | undefined)[]): { nice?: number } {
  const known = all.filter((nice) => nice !== undefined)
  return known.length === 0 ? {} : { nice: Math.max(...known) }
}
