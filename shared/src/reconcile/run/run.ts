import { HeadraceError } from "../../foundation/errors.ts"
import type { ReconcileMemory } from "./memory.ts"
import type { ReconcilePorts, ReconcileRequest } from "./ports.ts"
import type { Stopwatch } from "./stopwatch.ts"

/** What one call of reconcile hands through its steps. */
export interface Run {
  request: ReconcileRequest
  ports: ReconcilePorts
  memory: ReconcileMemory
  watch: Stopwatch
  signal: AbortSignal
}

/** The error of a run whose record others keep changing. */
export function contended(source: string, cause: unknown): HeadraceError {
  return new HeadraceError("reconcile/contended", `the record of ${source} kept changing`, {
    hint: "Wait: nothing is lost, and the next wake-up tries again.",
    cause,
  })
}
