import type { SourceRepository } from "../git/source-repository.ts"
import type { SourceRecord, Token } from "../record/record.ts"
import type { Rejection } from "../record/rollout-state.ts"
import type { ClusterSourceFacts } from "./fleet-facts.ts"

/** How a record relates to a commit. */
export interface RecordedCommit {
  /**
   * Tokens of the record's own revision and of those before it, newest first, that contain the commit: what a node may
   * show. None: the record's own does not. A seq alone would not say: a branch that is not merged yet
   * may have fewer ancestors than its trunk.
   */
  tokens: Token[]
  /** A commit that is being written and does not contain it; undefined: there is none. */
  leavingFor: string | undefined
  /** True when a rollout tries it here, or a later commit with it. */
  isTried?: boolean
  /** The rejection of it, or of a later commit with it: a rollout has tried that and returned. */
  rejected?: Rejection | undefined
}

type Repository = Pick<SourceRepository, "seqOf" | "contains">

type Recorded = Pick<SourceRecord, "commit" | "token" | "history" | "intents" | "candidate" | "rejected">

/**
 * Reads how a record relates to a commit, as far back as the record goes. `others` are rejections in other records of the
 * source, which count here too. Throws `git/…`.
 */
export async function revisionsWith(
  record: Recorded,
  commit: string,
  repository: Repository,
  signal: AbortSignal,
  others: readonly Rejection[] = [],
): Promise<RecordedCommit> {
  const tokens: Token[] = []
  const shown = record.commit === null ? [] : [{ commit: record.commit, token: record.token }]
  for (const revision of [...shown, ...record.history]) {
    if (!(await containsCommit(revision.commit, commit, repository, signal))) break
    tokens.push(revision.token)
  }
  for (const intent of record.intents) {
    if (await containsCommit(intent.commit, commit, repository, signal)) continue
    return { tokens, leavingFor: intent.commit }
  }
  const staged = tokens.length > 0 ? {} : await readStaged(record, commit, others, { repository, signal })
  return { tokens, leavingFor: undefined, ...staged }
}

/** What rollouts have to do with a commit that is not in force. */
async function readStaged(
  { candidate, rejected }: Recorded,
  commit: string,
  others: readonly Rejection[],
  { repository, signal }: { repository: Repository; signal: AbortSignal },
): Promise<Pick<RecordedCommit, "isTried" | "rejected">> {
  const isTried = candidate !== null && (await containsCommit(candidate.commit, commit, repository, signal))
  if (isTried) return { isTried }
  for (const rejection of [...(rejected ? [rejected] : []), ...others]) {
    if (await containsCommit(rejection.commit, commit, repository, signal)) return { rejected: rejection }
  }
  return {}
}

/** The rejections in all records of a source that could be read: one counts in every cluster. */
export function rejectionsOf(facts: readonly ClusterSourceFacts[], source: string): Rejection[] {
  return facts.flatMap((one) =>
    one.source === source && one.record.known ? (one.record.value?.rejected ?? []) : [],
  )
}

async function containsCommit(
  commit: string,
  wanted: string,
  repository: Repository,
  signal: AbortSignal,
): Promise<boolean> {
  if (commit === wanted) return true
  const known = await Promise.all([commit, wanted].map((one) => repository.seqOf(one, signal)))
  return !known.includes(undefined) && repository.contains(commit, wanted, signal)
}
