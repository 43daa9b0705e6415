import type { Edit } from "./edit.ts"
import type { Op } from "./schedule.ts"

/** Every cluster looks at every source, by programs that have just started. */
export const ROUND: Op = { op: "round" }
export const FINISH: Op = { op: "finish", worker: 0 }
export const LOSE: Op = { op: "lose", cluster: 0, tools: false }

/** Edits are pairs of a path and what becomes of it (schedule.ts). */
export function commit(edits: readonly (readonly [path: number, content: number])[], rules = -1): Op {
  return { op: "commit", edits: edits.map(([path, content]): Edit => ({ path, content })), rules }
}

export function start(program: number, full = false): Op {
  return { op: "start", cluster: 0, tools: false, full, program }
}

export function place(what: Extract<Op, { op: "place" }>["what"], namespace = 0): Op {
  return { op: "place", cluster: 0, namespace, what }
}

export function settings(variant: number): Op {
  return { op: "settings", program: 0, variant, clash: false }
}

export function steps(count: number): Op {
  return { op: "step", worker: 0, gate: 0, count, fault: "none" }
}
