import { boundedMap } from "@headrace/shared/foundation/bounded-map"
import {
  createReconcileMemory,
  type ReconcileMemory,
  type RulesAnswer,
} from "@headrace/shared/reconcile/run/memory"
import type { ModelSettings } from "./model-settings.ts"
import type { Source } from "./model-sources.ts"

/** A program of ours: its runs share what it remembers, its clock and the settings file that it has read. */
export interface Program {
  memories: { [source in Source]: ReconcileMemory }
  /** Milliseconds that its clock is ahead. */
  ahead: number
  settings: ModelSettings
  /** Cluster and source of records that it has watched since it started. */
  watched: Set<string>
}

/** Two plugins and the hourly bootstrapper. */
const PROGRAMS = 3

export function newProgram(settings: ModelSettings, ahead = 0): Program {
  return { memories: newMemories(), ahead, settings, watched: new Set() }
}

export function newPrograms(settings: ModelSettings): Program[] {
  return Array.from({ length: PROGRAMS }, () => newProgram(settings))
}

/** The program forgets everything and reads the settings again, as after SIGKILL. Its clock stays. */
export function restart(program: Program, settings: ModelSettings): void {
  Object.assign(program, newProgram(settings, program.ahead))
}

/** What a program's clock shows, in milliseconds since 1970. */
export function timeOf(clocks: { now: number; latest: number }, program: Program): number {
  const time = clocks.now + program.ahead
  clocks.latest = Math.max(clocks.latest, time)
  return time
}

/** What a text of rules means is the same in every program, so that it is parsed once. */
const PARSED = boundedMap<RulesAnswer>(64)

function newMemories(): Program["memories"] {
  return { release: newMemory(), tools: newMemory() }
}

function newMemory(): ReconcileMemory {
  return { ...createReconcileMemory(), parsedRules: PARSED }
}
