import type { SourceRepository } from "../../git/source-repository.ts"
import { holdInForce } from "../../record/goal.ts"
import { epochInForce } from "../../record/intents.ts"
import type { SourceRecord } from "../../record/record.ts"
import type { ReconcilePorts } from "../run/ports.ts"
import type { Run } from "../run/run.ts"
import { fetchTips, shownBy, type Tips } from "./desired-revision.ts"

/**
 * The tips that a run works from: those of a fetch, unless the goal is a hold's and the mirrors have its commits. Then
 * the branch has no say, and an operator's word takes effect also while the git server is away, or does not answer for
 * a minute. `record`: as it was read before this call. Throws `git/…`.
 */
export async function tipsForGoal({ ports, signal }: Run, record: SourceRecord): Promise<Tips> {
  return (await heldTips(ports, record, signal)) ?? fetchTips(ports, signal)
}

/** The held commits as tips; undefined: there is no hold in force, or something of it has to be fetched. */
async function heldTips(
  { repository, rulesRepository, clock }: ReconcilePorts,
  record: SourceRecord,
  signal: AbortSignal,
): Promise<Tips | undefined> {
  const at = clock.now()
  const { hold } = record
  if (hold === null || !holdInForce(hold, at)) return undefined
  // What is shown in this epoch must be contained in the goal: a mirror that lacks it cannot say so.
  const inEpoch = shownBy(record).filter(({ token }) => token.epoch === epochInForce(record))
  const seq = await seqOfFirst(repository, [hold.commit, ...inEpoch.map(({ commit }) => commit)], signal)
  if (seq === undefined) return undefined
  const source = { commit: hold.commit, seq }
  if (rulesRepository === repository) return { source, rules: undefined, at }
  const { rulesCommit } = hold
  if (rulesCommit === null) return undefined
  const ofRules = [rulesCommit, ...inEpoch.flatMap((shown) => shown.rulesCommit ?? [])]
  const rulesSeq = await seqOfFirst(rulesRepository, ofRules, signal)
  return rulesSeq === undefined ? undefined : { source, rules: { commit: rulesCommit, seq: rulesSeq }, at }
}

/** The first commit's seq; undefined when the mirror lacks one of them. */
async function seqOfFirst(
  repository: SourceRepository,
  commits: readonly string[],
  signal: AbortSignal,
): Promise<number | undefined> {
  const seqs = await Promise.all(commits.map((commit) => repository.seqOf(commit, signal)))
  return seqs.includes(undefined) ? undefined : seqs[0]
}
