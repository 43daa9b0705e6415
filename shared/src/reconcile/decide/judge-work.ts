import { HeadraceError } from "../../foundation/errors.ts"
import { judgeChange } from "../../gates/guard/judge-change.ts"
import { type ChangeSize, measureChange } from "../../gates/guard/measure-change.ts"
import { isLifted } from "../../record/approval.ts"
import { isBegun } from "../../record/intents.ts"
import type { SourceRecord } from "../../record/record.ts"
import type { ClusterPlan } from "../run/cluster-plan.ts"
import type { DesiredRevision } from "../run/revision.ts"
import type { Run } from "../run/run.ts"
import type { KnownFailures } from "../store/known-failures.ts"
import { countedDeletions } from "./counted-deletions.ts"
import { guardedTargets } from "./guarded-keys.ts"
import { heldInForce } from "./held-in-force.ts"
import type { Survey } from "./survey-targets.ts"

/** What the guard found: how much the work takes away, and whether an operator has approved that. */
export interface Judged {
  /** Undefined: nothing, or it is not known and approved. */
  size: ChangeSize | undefined
  approved: boolean
}

export const UNJUDGED: Judged = { size: undefined, approved: false }

/**
 * Judges what going to a desired revision deletes of what is in force. What an operator approved passes, and what was
 * begun: the same commit, under the same rules and settings. Throws `guard/…` where it may not pass, and `kube/…` where
 * what is in force cannot be read.
 */
export async function judgeWork(
  run: Run,
  input: {
    record: SourceRecord
    desired: DesiredRevision
    plan: ClusterPlan
    previous: ClusterPlan | undefined
    survey: Pick<Survey, "held" | "changed">
    failures: KnownFailures
  },
): Promise<Judged> {
  const { record, desired, plan } = input
  const { guard } = run.ports.settings
  if (guard === "off") return UNJUDGED
  const approved = isApproved(record, desired, plan)
  const held = await heldInForce(run, input)
  const passes = approved || isBegun(record, { ...desired, rules: plan.digest })
  if (held === "unknown") {
    if (passes) return { size: undefined, approved }
    throw unknown(record)
  }
  const size = measureChange(held, guardedTargets(plan), new Set(plan.refused.keys()))
  if (size.renamed.length > 0) {
    const [first] = size.renamed
    const fields = { commit: desired.commit, renamed: size.renamed.length, first }
    run.ports.log.info(fields, "keys are renamed and keep their content")
  }
  const { past, at } = countedDeletions(record, run.ports.clock.now())
  const error = passes ? undefined : judgeChange(size, guard, past, at)
  if (error) throw error
  return { size, approved }
}

/** An operator's `approve` of this commit under these rules, or a rewind, which approves what it deletes. */
function isApproved(record: SourceRecord, desired: DesiredRevision, plan: ClusterPlan): boolean {
  const { approved, hold } = record
  if (isLifted(record, "guard", desired) && approved?.rules === plan.digest) return true
  const isRewound = hold?.commit === desired.commit && desired.token.epoch > record.token.epoch
  return isRewound && isBegun(record, { ...desired, rules: plan.digest })
}

function unknown({ source, root }: SourceRecord): HeadraceError {
  const why =
    root === null
      ? "its record is lost, and the root index that was in force cannot be read"
      : `its root index ${root} is lost, and its rules or settings have changed`
  return new HeadraceError("guard/unknown", `it is not known what ${source} has in force: ${why}`, {
    hint: "Run approve --commit SHA to rebuild everything from that commit.",
    fields: { root },
  })
}
