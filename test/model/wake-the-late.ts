import type { SourceRevision } from "@headrace/shared/reconcile/run/revision"
import type { SourceRecord } from "@headrace/shared/record/record"
import type { ModelRepository } from "./model-repository.ts"
import { goalOf, isFastForward } from "./model-revision.ts"
import type { Source } from "./model-sources.ts"
import type { Schedule } from "./schedule.ts"
import { end, settle } from "./settle.ts"
import { records } from "./shown-records.ts"
import type { Simulation } from "./simulation.ts"
import { Violation } from "./violation.ts"

/**
 * A paused worker wakes up after all is quiet, and nobody reconciles afterwards, so that what a late writer spoils
 * stays spoilt. No record may move, but for one case: a writer whose fetch was answered before a force-push and
 * whose record has shown nobody looking since. It fast-forwards to what was the tip then, as it would have had it
 * been a little faster; the next look finds the branch rewritten.
 */
export async function wakeTheLate(simulation: Simulation, schedule: Schedule): Promise<void> {
  const before = await records(simulation)
  for (const worker of simulation.workers.toReversed()) {
    if (!worker.done && !worker.dead) simulation.tally.count(`woken after all was quiet: ${worker.kind}`)
    await end(worker)
  }
  let moves = 0
  for (const [place, { source, record }] of await records(simulation)) {
    const was = before.get(place)?.record
    if (isMistakenReason(schedule, was, record)) {
      simulation.tally.count("woken after all was quiet: takes a root index for lost")
      moves += 1
    }
    if (was?.commit === record.commit && was.rulesCommit === record.rulesCommit) continue
    judgeLateMove(simulation, source, was, record)
    simulation.tally.count("woken after all was quiet: goes on to an abandoned tip")
    moves += 1
  }
  if (moves > 0) await settle(simulation, schedule)
}

/** True where a late writer says of a source, which is stopped, that it is not known what is in force. */
function isMistakenReason(
  schedule: Schedule,
  before: SourceRecord | undefined,
  { stopped }: SourceRecord,
): boolean {
  if (stopped?.code !== "guard/unknown" || before?.stopped?.commit !== stopped.commit) return false
  return (
    before.stopped.code !== stopped.code && schedule.some((op) => op.op === "step" && op.fault === "past")
  )
}

function judgeLateMove(
  simulation: Simulation,
  source: Source,
  before: SourceRecord | undefined,
  after: SourceRecord,
): void {
  const [from, to] = [before && revisionOf(before), revisionOf(after)]
  // Where a lost record shows nothing yet, because the targets hold what the guard would not delete, a late writer
  // of its former life may change what they hold, and the next reconcile then goes to the goal.
  const isFreed =
    before?.stopped?.code.startsWith("guard/") && to?.commit === goalOf(simulation, source, after).commit
  if (from === undefined && isFreed) return
  if (from === undefined || to === undefined) throw new Violation("1: a late writer made a record")
  const isAbandoned =
    wasAbandoned(simulation.repositories[source], to.commit) ||
    (to.rulesCommit !== null && wasAbandoned(simulation.rules[source], to.rulesCommit))
  if (isAbandoned && before?.stopped === null && isFastForward(simulation, source, from, to)) return
  throw new Violation(`2: a late writer moved the record from ${from.commit} to ${to.commit}`)
}

function revisionOf({ commit, rulesCommit }: SourceRecord): SourceRevision | undefined {
  return commit === null ? undefined : { commit, rulesCommit }
}

/** True when the branch has been at this commit, and no longer contains it. */
function wasAbandoned(repository: ModelRepository, commit: string): boolean {
  return repository.wasTip(commit) && !repository.hasAncestor(repository.tip(), commit)
}
