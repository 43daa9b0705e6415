import { compareAndSwap } from "../kube/compare-and-swap.ts"
import { isBegun, largestBegun } from "../record/intents.ts"
import type { NewObjects } from "../record/new-objects.ts"
import type { FailedTarget, ForeignWrite, Intent, SourceRecord } from "../record/record.ts"
import { compareTokens } from "../record/token.ts"
import { judgeSettings, settingsOfRecord } from "./decide/judge-settings.ts"
import type { Work } from "./decide/work-out.ts"
import { listFailed } from "./record/list-failed.ts"
import { committedRecord, isSameCommit, sameRecord } from "./record/next-record.ts"
import { openWork } from "./record/open-work.ts"
import { loadState, type RecordState, swapState } from "./record/swap-record.ts"
import { contended, type Run } from "./run/run.ts"
import { writeFailures } from "./write/write-failures.ts"
import { writeStore } from "./write/write-store.ts"
import { writeView } from "./write/write-view.ts"

/** `again`: the record moved under us before anything was written; work it out again. */
export type Applied = { kind: "again" } | ({ kind: "committed" | "superseded"; record: SourceRecord } & Done)

/** What a run did beside the record: objects written, and writes of others that it found. */
export interface Done {
  written: number
  foreign: readonly ForeignWrite[]
  /** Every target that failed, those that the record has no room for too. */
  failed: readonly FailedTarget[]
  /** What its revision added to the store; absent: nothing, or there is no store. */
  added?: NewObjects | undefined
}

/**
 * Intent, then store and view, then the swap of the record. Dying anywhere leaves the intent for the next
 * one; being overtaken anywhere leaves the record to the worker that did it.
 */
export async function applyWork(run: Run, state: RecordState, work: Work): Promise<Applied> {
  const intent = intentFor(work)
  const opened = await run.watch.time("record", () => openWork(run, state, intent))
  if (opened === undefined) return { kind: "again" }
  const results = await writeAll(run, state, opened.record, work)
  const now = run.ports.clock.now()
  const found = {
    failed: new Map([...work.plan.refused, ...work.waiting, ...results.view.failed]),
    ahead: results.view.ahead,
    now,
  }
  const failed = work.listed ?? listFailed(work.failures.failed, found)
  const { foreign } = results.view
  const written = results.view.written + (results.store?.written ?? 0)
  const done: Done = { written, foreign, failed, added: results.store?.added }
  if (results.view.ahead.length > 0) {
    const current = await run.watch.time("record", () => loadState(run))
    if (current === undefined) return { kind: "again" }
    if (isOvertaken(current.record, work, intent))
      return { kind: "superseded", record: current.record, ...done }
  }
  const { guard } = run.ports.settings
  const achieved = {
    desired: work.desired,
    rules: work.plan.digest,
    root: results.store?.root ?? null,
    failed,
    failures: null,
    foreign,
    stopped: work.stopped,
    judged: work.judged,
    guard,
    settings: settingsOfRecord(run.ports.settings),
    now,
    behind: results.store?.behind ?? 0,
  }
  // Written before the record names it, as everything of the store.
  const kept = results.store?.kept ?? new Map()
  const plain = committedRecord(opened.record, achieved)
  const failures = await run.watch.time("store", () => writeFailures(run, opened.record, plain, work, kept))
  const next = (base: SourceRecord) => committedRecord(base, { ...achieved, failures })
  return run.watch.time("record", () => commit(run, opened, work, intent, next, done))
}

/**
 * Undefined when nothing is written that the record in force does not name: a rebuild of what it shows, or a
 * change that touches no target. Whatever else looks at a target opens one, even where it will find it right: until
 * its intent is in the record, others may commit beside it, and not know that their targets need a token.
 */
function intentFor(work: Work): Intent | undefined {
  const { desired, plan, previous, choice } = work
  if (work.inForce && !choice.everything) return undefined
  const dropped =
    previous === undefined || [...previous.targets.keys()].some((place) => !plan.targets.has(place))
  if (!dropped && choice.visit.length === 0) return undefined
  const targets = choice.everything ? ("all" as const) : [...choice.stamp].sort()
  const { token, commit, rulesCommit } = desired
  return { token, commit, rulesCommit, rules: plan.digest, targets }
}

async function writeAll(run: Run, before: RecordState, record: SourceRecord, work: Work) {
  const { ports, request, watch } = run
  const hadOpenWork = before.record.intents.length > 0
  const way = { full: request.mode === "full", isCandidate: false, hadOpenWork }
  const [store, view] = await Promise.allSettled([
    watch.time("store", async () => (ports.settings.store ? writeStore(run, record, work, way) : undefined)),
    watch.time("view", () => writeView(run, record, work)),
  ])
  if (store.status === "rejected") throw store.reason
  if (view.status === "rejected") throw view.reason
  return { store: store.value, view: view.value }
}

/**
 * The swap. When it is lost, the record says whether we still may: our intent must be open and nothing
 * committed since it was opened, or somebody has ended the work for us and the collector may have taken what
 * only we would name, even if the same work was begun once more.
 */
async function commit(
  run: Run,
  opened: RecordState,
  work: Work,
  intent: Intent | undefined,
  next: (base: SourceRecord) => SourceRecord,
  done: Done,
): Promise<Applied> {
  const { ports, signal, request } = run
  let base: RecordState | undefined
  async function attempt(): Promise<Applied | undefined> {
    const isFirst = base === undefined
    base = isFirst ? opened : await loadState(run)
    if (base === undefined) return { kind: "again" }
    if (!isFirst && isOvertaken(base.record, work, intent)) return settled(base.record, work, done)
    if (mustBeginAgain(run, opened, base, intent)) return { kind: "again" }
    const record = next(base.record)
    if (sameRecord(base.record, record)) return { kind: "committed", record: base.record, ...done }
    const swapped = await swapState(run, base, record, done.added)
    return swapped && { kind: "committed", record: swapped.record, ...done }
  }
  return compareAndSwap(ports.clock, signal, attempt, (cause) => contended(request.source, cause))
}

/**
 * True when the record has moved so that what was worked out does not hold any more: another commit, work without an
 * intent of its own, or settings that may not write now. Another program may have begun the same work under a larger
 * settingsVersion, or named these settings as a rival's.
 */
function mustBeginAgain(
  { ports }: Run,
  opened: RecordState,
  base: RecordState,
  intent: Intent | undefined,
): boolean {
  if (base.configMap.metadata.resourceVersion === opened.configMap.metadata.resourceVersion) return false
  if (intent === undefined || !isSameCommit(opened.record, base.record)) return true
  return judgeSettings(base.record, ports.settings) !== undefined
}

function isOvertaken(record: SourceRecord, work: Work, intent: Intent | undefined): boolean {
  if (compareTokens(largestBegun(record), work.desired.token) > 0) return true
  return intent !== undefined && !isBegun(record, intent)
}

/** Our own swap whose answer was lost, or a twin's, is as good as ours; anything else has overtaken us. */
function settled(record: SourceRecord, work: Work, done: Done): Applied {
  const { desired, plan } = work
  const isThere = record.commit === desired.commit && compareTokens(record.token, desired.token) === 0
  const same = isThere && record.rules === plan.digest
  return { kind: same ? "committed" : "superseded", record, ...done }
}
