import { compareAndSwap } from "../kube/compare-and-swap.ts"
import { nextStep } from "../rollout/next-step.ts"
import { loadState } from "./record/swap-record.ts"
import { giveUp } from "./roll-out.ts"
import { verdictOf } from "./rollout/judge-open-stage.ts"
import { seeClusters } from "./rollout/see-clusters.ts"
import { createReconcileMemory } from "./run/memory.ts"
import type { ReconcilePorts, ReconcileRequest } from "./run/ports.ts"
import { contended, type Run, startStopwatch } from "./run/run.ts"

/** What came of a look: nothing to return from, a rollout that goes on, or a return. */
export type ReturnLook = "none" | "under way" | "returned"

/**
 * Returns what has failed in one cluster, and does nothing else. It needs neither git nor Redis nor a lane: a reconcile
 * restores the named ConfigMaps later. Safe beside any number of reconciles. Throws `kube/…`, `record/…`.
 */
export async function returnFailed(
  request: Omit<ReconcileRequest, "mode">,
  ports: ReconcilePorts,
  signal: AbortSignal,
): Promise<ReturnLook> {
  const { rollout, clock } = ports
  if (rollout === undefined) return "none"
  const watch = startStopwatch(clock)
  const memory = ports.memory ?? createReconcileMemory()
  const run: Run = { request: { ...request, mode: "incremental" }, ports, memory, watch, signal }
  async function attempt(): Promise<ReturnLook | undefined> {
    const state = await loadState(run)
    const { candidate, previous } = state?.record ?? { candidate: null, previous: null }
    if (state === undefined || rollout === undefined || (candidate === null && previous === null))
      return "none"
    const seen = await seeClusters(run, rollout, state)
    const verdict = await verdictOf(run, rollout, state.record)
    const at = new Date(clock.now()).toISOString()
    const step = nextStep(seen, { tip: undefined, verdict, at })
    // Without a rejection nothing has failed, and a reconcile has time to do it.
    if (step.kind !== "return" || step.rejection === null) return "under way"
    return (await giveUp(run, state, step)).kind === "again" ? undefined : "returned"
  }
  return compareAndSwap(clock, signal, attempt, (cause) => contended(request.source, cause))
}
