import type { JudgedRevision, SourceRecord } from "./record.ts"

type Approval = NonNullable<SourceRecord["approved"]>

/** What an operator's `approve` can lift. */
export type Lift = NonNullable<Approval["lifts"]>[number]

/** True where an operator has approved this commit, with these rules' commit, in spite of what `lift` names. Pure. */
export function isLifted(
  { approved }: Pick<SourceRecord, "approved">,
  lift: Lift,
  { commit, rulesCommit }: Pick<JudgedRevision, "commit" | "rulesCommit">,
): boolean {
  if (approved === null || !liftsOf(approved).includes(lift)) return false
  return approved.commit === commit && approved.rulesCommit === rulesCommit
}

/**
 * The approval of a revision: with what was lifted for the very same one before; anything else that was approved is
 * dropped. Only more than the guard is written down, so that it needs no newer format. Pure.
 */
export function approvalOf(before: SourceRecord["approved"], revision: JudgedRevision, lift: Lift): Approval {
  const { commit, rulesCommit, rules } = revision
  const isSame = before?.commit === commit && before.rulesCommit === rulesCommit && before.rules === rules
  const lifts = [...new Set([...(isSame ? liftsOf(before) : []), lift])].sort()
  return { commit, rulesCommit, rules, ...(lifts.join() === "guard" ? {} : { lifts }) }
}

function liftsOf({ lifts }: Approval): readonly Lift[] {
  return lifts ?? ["guard"]
}
