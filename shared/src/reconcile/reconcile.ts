import { HeadraceError } from "../foundation/errors.ts"
import { compareAndSwap } from "../kube/compare-and-swap.ts"
import { newRecord, type Token } from "../record/record.ts"
import { tipsForGoal } from "./decide/tips-for-goal.ts"
import { isStaged, leaveStaged } from "./leave-staged.ts"
import { isOverQuota, makeRoom } from "./operate/make-room.ts"
import { loadState, madeAt, type RecordState, swapState } from "./record/swap-record.ts"
import { rollOut } from "./roll-out.ts"
import { createReconcileMemory } from "./run/memory.ts"
import type { ReconcileOutcome, ReconcilePorts, ReconcileRequest, SwapListener } from "./run/ports.ts"
import { contended, type Run, startStopwatch } from "./run/run.ts"
import { traceOf } from "./run/run-trace.ts"
import { tokenBeyond } from "./target/known-token.ts"
import { toGoal } from "./to-goal.ts"

/**
 * Brings one cluster to the goal of one source, whatever woke it up: fetch, work out the goal, plan and
 * judge, open an intent, write store and view, swap the record.
 *
 * Safe beside any number of others of itself, paused, killed or late: the record's compare-and-swap orders
 * them, the token on each target refuses who has been overtaken, and an open intent shows the next one what
 * may be half done. Throws `kube/…` or `git/…` when the record or the mirror cannot be reached; what was
 * begun stays listed in the record.
 */
export async function reconcile(
  request: ReconcileRequest,
  given: ReconcilePorts,
  signal: AbortSignal,
): Promise<ReconcileOutcome> {
  const watch = startStopwatch(given.clock, given.onProgress)
  const start = given.clock.now()
  const swaps: Parameters<SwapListener>[0][] = []
  const onSwap: SwapListener = (swapped) => {
    swaps.push(swapped)
    given.onSwap?.(swapped)
  }
  const ports = { ...given, onSwap }
  const run: Run = { request, ports, memory: ports.memory ?? createReconcileMemory(), watch, signal }
  let lost = false
  const onLostWrite = (): void => {
    lost = true
  }
  const done = await compareAndSwap(
    ports.clock,
    signal,
    () => attemptWithRoom(run, onLostWrite),
    (cause) => (lost ? lostWrite(run) : contended(request.source, cause)),
  )
  const trace = traceOf(swaps, { intervals: watch.intervals, start, end: ports.clock.now() })
  return trace ? { ...done, trace } : done
}

/** One pass; where our own namespace is at its quota, garbage goes first, and then all is begun again. */
async function attemptWithRoom(run: Run, onLostWrite: () => void): Promise<ReconcileOutcome | undefined> {
  try {
    return await attempt(run, onLostWrite)
  } catch (error) {
    if (!isOverQuota(error) || !(await makeRoom(run))) throw error
    return undefined
  }
}

/** One pass over all stages; undefined: the record moved under us, begin again. */
async function attempt(begun: Run, onLostWrite: () => void): Promise<ReconcileOutcome | undefined> {
  const { ports, watch } = begun
  // In this order: a fetch that began after the record was read contains what it shows, or the branch was
  // rewritten; and tips that became old while we were paused are swapped against a record that has moved.
  const found = await watch.time(
    "record",
    async () => (await loadState(begun)) ?? beginRecord(begun, onLostWrite),
  )
  if (found === undefined) return undefined
  const dated = { ...begun, ports: { ...ports, ...madeAt(found.configMap) } }
  const run = { ...dated, beyond: beyondOf(dated, found), recordUid: found.configMap.metadata.uid }
  const { rollout } = ports
  if (rollout !== undefined) return rollOut(run, rollout, found)
  if (isStaged(found.record)) return leaveStaged(run, found)
  return toGoal(run, found, await watch.time("fetch", () => tipsForGoal(run, found.record)))
}

function beyondOf({ memory, request, ports }: Run, { record, configMap }: RecordState): Token | undefined {
  const { uid } = configMap.metadata
  return tokenBeyond(memory, request.cluster, { record, uid }, ports)
}

/**
 * A record starts blank, and is read again before anything is worked out for it: so a worker that slept through the
 * loss of an earlier one cannot take what it knew of that to this one. And it starts in an epoch of the clock's,
 * which nobody can have been in (operators raise theirs by one at a time): paused writers of an earlier record
 * are refused, whatever they hold, and agents go on, whatever they have published.
 */
async function beginRecord(run: Run, onLostWrite: () => void): Promise<RecordState | undefined> {
  const { ports, request } = run
  const blank = newRecord(request.source, { epoch: Math.floor(ports.clock.now()), seq: 0 })
  const made = await swapState(run, undefined, blank)
  const state = await loadState(run)
  if (made !== undefined && state === undefined) onLostWrite()
  return state
}

/** What is confirmed time and again and never there did not arrive: that is no contention. */
function lostWrite({ ports, request }: Pick<Run, "ports" | "request">): HeadraceError {
  const place = `${ports.settings.namespace}/${request.source}`
  return new HeadraceError(
    "kube/lost-write",
    `ConfigMap ${place} was created, by the answer, and is not there`,
    {
      hint: "Check what answers between Headrace and the API server: a proxy that drops POST requests, or answers them itself, or a redirect that makes GET of them.",
    },
  )
}
