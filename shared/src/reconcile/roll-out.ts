import { errorMessage, HeadraceError } from "../foundation/errors.ts"
import { hasIntentAt } from "../record/intents.ts"
import type { SourceRecord } from "../record/record.ts"
import { type Candidate, isOpened } from "../record/rollout-state.ts"
import { passedRecord, promotedRecord, returnedRecord, settledRecord } from "../rollout/changed-records.ts"
import { needsTip, nextStep, type Step } from "../rollout/next-step.ts"
import { policyDigest } from "../rollout/policy.ts"
import { isHurried, type SeenClusters } from "../rollout/seen-clusters.ts"
import { goalAt, type Tips } from "./decide/desired-revision.ts"
import { judgeSettings } from "./decide/judge-settings.ts"
import { tipsForGoal } from "./decide/tips-for-goal.ts"
import { type Decision, isReasonToStop, refuse, workOut } from "./decide/work-out.ts"
import { leaveStaged } from "./leave-staged.ts"
import { loadState, type RecordState, swapState } from "./record/swap-record.ts"
import { restAtBaseline } from "./rest-at-baseline.ts"
import { baselineTips } from "./rollout/baseline-of-lost-record.ts"
import { verdictOf } from "./rollout/judge-open-stage.ts"
import { openStage } from "./rollout/open-stage.ts"
import { prepareCandidate } from "./rollout/prepare-candidate.ts"
import { redBefore } from "./rollout/run-checks.ts"
import { goalRevision, seeClusters, tipsOf } from "./rollout/see-clusters.ts"
import type { ReconcileOutcome } from "./run/ports.ts"
import type { RolloutPorts } from "./run/rollout-ports.ts"
import type { Run } from "./run/run.ts"
import { noteInRecord } from "./stop-source.ts"
import { knownFailures } from "./store/known-failures.ts"
import { outcome, toGoal } from "./to-goal.ts"
import { markRoot } from "./write/mark-root.ts"

/** More steps than a rollout has in one look; then the lane gets its turn again. */
const MOST_STEPS = 8
const LOOK_MS = 1000
const LOOK_AT_OTHERS_MS = 10_000

type Stopped = NonNullable<SourceRecord["stopped"]>

/** `moved`: a swap was done, and there may be more to do. `done`: nothing more for now. */
type Taken =
  | { kind: "again" }
  | { kind: "moved"; state: RecordState }
  | { kind: "done"; outcome: ReconcileOutcome; step: Step }

/**
 * Brings a cluster as far as its rollout lets it go: each step is one swap of its own record, decided from the records of
 * all clusters and the reports of its nodes. Nothing is kept between two looks but how long it has looked. Undefined: the
 * record moved under us, begin again.
 */
export async function rollOut(
  run: Run,
  rollout: RolloutPorts,
  first: RecordState,
): Promise<ReconcileOutcome | undefined> {
  let state = await dropIfPutBack(run, first)
  const here = { ...run, beyond: first.record.commit === null ? run.beyond : undefined }
  let moved = state !== first
  for (let steps = 0; state !== undefined && steps < MOST_STEPS; steps += 1) {
    const taken = await takeStep(here, rollout, state)
    if (taken.kind === "again") return undefined
    if (taken.kind === "done") {
      const done = finished(taken, othersOf(run, rollout, moved))
      return moved && done.result === "noop" ? { ...done, result: "applied" } : done
    }
    state = taken.state
    moved = true
  }
  if (state === undefined) return undefined
  const none = { written: 0, foreign: [], failed: state.record.failed }
  return {
    ...outcome(run, "applied", state.record, none),
    rollout: { holdUp: [], lookAgain: 0, wakes: othersOf(run, rollout, moved) },
  }
}

/** A record that was put back from a backup shows its baseline in an epoch beyond all, and tries nothing. */
async function dropIfPutBack(run: Run, state: RecordState): Promise<RecordState | undefined> {
  const { beyond, ports } = run
  if (beyond === undefined || state.record.commit === null) return state
  const atLeast = Math.max(beyond.epoch + 1, Math.floor(ports.clock.now()))
  ports.log.warn({ beyond }, "the record is older than what was in force; its candidate is dropped")
  return swapState(run, state, returnedRecord(state.record, "baseline", null, atLeast))
}

function finished(
  { outcome: done, step }: Extract<Taken, { kind: "done" }>,
  wakes: readonly string[],
): ReconcileOutcome {
  const { record } = done
  const waits = step.kind === "rest" && step.waits === true
  const lookAgain = record.candidate !== null ? LOOK_MS : waits ? LOOK_AT_OTHERS_MS : undefined
  const holdUp = step.kind === "rest" ? step.holdUp : []
  return { ...done, rollout: { holdUp, lookAgain, wakes } }
}

function othersOf({ request }: Run, { policy }: RolloutPorts, moved: boolean): string[] {
  return moved ? policy.clusters.filter((cluster) => cluster !== request.cluster) : []
}

async function takeStep(run: Run, rollout: RolloutPorts, state: RecordState): Promise<Taken> {
  const { record } = state
  if (!rollout.leads && record.candidate && record.candidate.policy !== policyDigest(rollout.policy)) {
    const done = leaveStaged(run, state)
    return { kind: "done", outcome: done, step: { kind: "rest", holdUp: [] } }
  }
  const refused = await refuseSettings(run, state)
  if (refused) return refused
  const seen = await run.watch.time("record", () => seeClusters(run, rollout, state))
  const verdict = await verdictOf(run, rollout, record)
  const at = new Date(run.ports.clock.now()).toISOString()
  const early = nextStep(seen, { tip: undefined, verdict, at })
  const isTipNeeded = early.kind === "direct" || (early.kind === "rest" && needsTip(seen))
  if (!isTipNeeded) return act(run, rollout, seen, state, early, undefined)
  const tips = await run.watch.time("fetch", () => tipsForGoal(run, record))
  if (early.kind === "direct" || record.commit === null) return act(run, rollout, seen, state, early, tips)
  const { commit } = goalAt(tips, record)
  const tip = await orReason(commit, () => goalRevision(run, tips, record))
  if ("code" in tip) return rest(run, state, early, tip)
  return act(run, rollout, seen, state, nextStep(seen, { tip, verdict, at }), tips)
}

/** Settings that may not write move no rollout either. What has failed returns without them (return-failed.ts). */
async function refuseSettings(run: Run, state: RecordState): Promise<Taken | undefined> {
  const { record } = state
  const refused = judgeSettings(record, run.ports.settings)
  const commit = record.candidate?.commit ?? record.commit
  if (refused === undefined || commit === null) return undefined
  const failures = await knownFailures(run.ports, run.memory, record, run.signal)
  const decision = refuse(run, record, commit, refused, failures)
  return noted(run, state, decision, { kind: "rest", holdUp: [decision.stopped.message] })
}

/** Why a source is stopped, where settings that may write look at it: what stopped others is over. */
function stillStopped({ stopped }: SourceRecord): Stopped | null {
  return stopped?.code.startsWith("settings/") ? null : stopped
}

/** What `read` gives of a commit, or why the source is stopped at it. */
async function orReason<Found>(commit: string, read: () => Promise<Found>): Promise<Found | Stopped> {
  try {
    return await read()
  } catch (error) {
    if (!isReasonToStop(error)) throw error
    return { code: error.code, message: errorMessage(error), commit }
  }
}

async function act(
  run: Run,
  rollout: RolloutPorts,
  seen: SeenClusters,
  state: RecordState,
  step: Step,
  tips: Tips | undefined,
): Promise<Taken> {
  const { record } = state
  const fetched = async () => tips ?? (await tipsForGoal(run, record))
  switch (step.kind) {
    case "rest":
      if (step.atGoal) return wholly(run, state, step, tips ?? shownTips(run, record))
      if (record.commit === null) return begin(run, state, step, await fetched())
      return rest(run, state, step, stillStopped(record))
    case "direct":
      return wholly(run, state, step, await fetched())
    case "adopt":
      return wholly(run, state, step, tipsOf(run, step.revision))
    case "prepare":
      return prepare(run, seen, state, step, tips ?? tipsOf(run, step.revision))
    case "return":
      return giveUp(run, state, step)
    case "settle":
      return swapped(await swapState(run, state, settledRecord(record)))
    default:
      return actOnCandidate(run, rollout, seen, state, step)
  }
}

async function actOnCandidate(
  run: Run,
  rollout: RolloutPorts,
  seen: SeenClusters,
  state: RecordState,
  step: Extract<Step, { kind: "open" | "pass" | "promote" }>,
): Promise<Taken> {
  const { record } = state
  const { candidate } = record
  if (candidate === null) throw new HeadraceError("rollout/none", "there is no candidate to go on with")
  const now = new Date(run.ports.clock.now()).toISOString()
  if (step.kind === "pass") return swapped(await swapState(run, state, passedRecord(record, candidate, now)))
  if (step.kind === "promote") {
    await markRoot(run, record, candidate)
    return swapped(await swapState(run, state, promotedRecord(record, candidate)))
  }
  const red = mayWait(seen, candidate) ? await redBefore(run, rollout, candidate) : []
  if (red.length > 0) return rest(run, state, { kind: "rest", holdUp: red }, stillStopped(record))
  const wanted = { stage: step.stage, hurried: isHurried(seen, candidate) }
  const opened = await openStage(run, rollout, state, candidate, wanted)
  if (opened.kind === "opened") return { kind: "moved", state: opened.state }
  if (opened.kind === "waits")
    return rest(run, state, { kind: "rest", holdUp: [opened.why] }, stillStopped(record))
  if (opened.kind === "again") return { kind: "again" }
  return giveUp(run, state, { to: "baseline", rejection: null, why: opened.why })
}

/** A candidate that no node shows yet waits while a check fails already, unless an operator has promoted it. */
function mayWait(seen: SeenClusters, candidate: Candidate): boolean {
  return !isOpened(candidate) && !hasIntentAt(seen.record, candidate.token) && !isHurried(seen, candidate)
}

/** Swaps the record for one that has returned. */
export async function giveUp(
  run: Run,
  state: RecordState,
  { to, rejection, why }: Pick<Extract<Step, { kind: "return" }>, "to" | "rejection" | "why">,
): Promise<Taken> {
  run.ports.log.warn({ why, rejected: rejection?.commit }, "rollout returned to the baseline")
  return swapped(await swapState(run, state, returnedRecord(state.record, to, rejection)))
}

/** For a record that shows nothing, where no other cluster shows what to begin with. */
async function begin(run: Run, state: RecordState, step: Step, tips: Tips): Promise<Taken> {
  const baseline = await orReason(tips.source.commit, () => baselineTips(run, tips))
  return "code" in baseline ? rest(run, state, step, baseline) : wholly(run, state, step, baseline)
}

function swapped(state: RecordState | undefined): Taken {
  return state === undefined ? { kind: "again" } : { kind: "moved", state }
}

async function wholly(run: Run, state: RecordState, step: Step, tips: Tips): Promise<Taken> {
  const done = await toGoal(run, state, tips)
  return done === undefined ? { kind: "again" } : { kind: "done", outcome: done, step }
}

async function prepare(
  run: Run,
  seen: SeenClusters,
  state: RecordState,
  step: Extract<Step, { kind: "prepare" }>,
  tips: Tips,
): Promise<Taken> {
  const decision = await run.watch.time("plan", () => workOut(run, tips, state.record))
  if (decision.kind === "work")
    return swapped(await prepareCandidate(run, seen, state, decision.work, step.stage))
  if (decision.kind === "stop") return rest(run, state, step, decision.stopped)
  return noted(run, state, decision, step)
}

async function noted(
  run: Run,
  state: RecordState,
  decision: Extract<Decision, { kind: "noop" | "refuse" }>,
  step: Step,
): Promise<Taken> {
  const next = decision.kind === "refuse" ? decision.next : state.record
  const applied = await noteInRecord(run, state, next, decision.failures)
  if (applied.kind === "again") return { kind: "again" }
  const done = outcome(run, decision.kind === "refuse" ? "stopped" : "noop", applied.record, applied)
  const stopped = decision.kind === "refuse" ? { ...done, stopped: decision.stopped } : done
  return { kind: "done", outcome: stopped, step }
}

async function rest(run: Run, state: RecordState, step: Step, stopped: Stopped | null): Promise<Taken> {
  const applied = await restAtBaseline(run, state, stopped)
  if (applied.kind === "again") return { kind: "again" }
  const isEnded = state.record.intents.length > 0 && applied.record.intents.length === 0
  if (isEnded) return swapped(await loadState(run))
  const result = stopped === null ? "noop" : "stopped"
  const done = outcome(run, applied.kind === "superseded" ? applied.kind : result, applied.record, applied)
  return { kind: "done", outcome: done, step }
}

function shownTips(run: Run, { commit, rulesCommit, rules }: SourceRecord): Tips {
  return tipsOf(run, { commit: commit ?? "", rulesCommit, rules: rules ?? "" })
}
