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
