import type { SourceRepository } from "../git/source-repository.ts"
import type { SourceRecord, Token } from "../record/record.ts"

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
}

type Repository = Pick<SourceRepository, "seqOf" | "contains">

/** Reads how a record relates to a commit, as far back as the record goes. Throws `git/…`. */
export async function revisionsWith(
  record: Pick<SourceRecord, "commit" | "token" | "history" | "intents">,
  commit: string,
  repository: Repository,
  signal: AbortSignal,
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
  return { tokens, leavingFor: undefined }
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
