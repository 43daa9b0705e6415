import type { SourceRecord, Token } from "@headrace/shared/record/record"
import { compareTokens } from "@headrace/shared/record/token"
import type { Inputs } from "./inputs.ts"

/** A revision of the record, exactly. */
export interface RecordRevision {
  token: Token
  root: string
}

/** The revision that a record has in force; undefined: none yet, or none in a store. */
export function baselineOf({ token, root }: SourceRecord): RecordRevision | undefined {
  return root === null ? undefined : { token, root }
}

/** The revision that a record tries; undefined: no rollout is under way, or it is in no store. */
export function candidateOf({ candidate }: SourceRecord): RecordRevision | undefined {
  if (candidate === null || candidate.root === null) return undefined
  return { token: candidate.token, root: candidate.root }
}

/** The inputs with the candidate in the place of what the record has in force. Pure. */
export function withCandidate(inputs: Inputs): Inputs {
  const { record } = inputs
  if (record?.candidate == null) return inputs
  const { token, commit, rulesCommit, rules, root } = record.candidate
  // When the candidate's commit was made, the record does not say.
  const { recordCommittedAt: _, ...others } = inputs
  return { ...others, record: { ...record, token, commit, rulesCommit, rules, root } }
}

export function isSameRevision(
  one: RecordRevision | undefined | null,
  other: RecordRevision | undefined | null,
) {
  return (
    one != null && other != null && one.root === other.root && compareTokens(one.token, other.token) === 0
  )
}
