import { loadRecord, type RecordState } from "../record/record-state.ts"
import type { ReconcileMemory } from "./memory.ts"
import { startPatience } from "./patience.ts"
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

/** The record as it is now; waits out what may pass by itself. */
export async function loadState(run: Run): Promise<RecordState | undefined> {
  const { ports, signal, request } = run
  const patience = startPatience(ports.clock, signal)
  for (;;) {
    try {
      return await loadRecord(ports.kube, ports.settings.namespace, request.source, signal)
    } catch (error) {
      await patience.afterFailure(error)
    }
  }
}
