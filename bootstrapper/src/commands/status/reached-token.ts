import type { SourceRepository } from "@headrace/shared/git/source-repository"
import type { SourceRecord, Token } from "@headrace/shared/record/record"

/**
 * The smallest token, as far back as the record goes, whose revision and all after it contain a commit: what
 * a node must have reached to show it. Undefined when the record's own revision does not contain it. A seq
 * alone would not tell: a branch that is not merged yet may have fewer ancestors than its trunk.
 */
export async function reachedToken(
  record: Pick<SourceRecord, "commit" | "token" | "history">,
  commit: string,
  repository: Pick<SourceRepository, "seqOf" | "contains">,
  signal: AbortSignal,
): Promise<Token | undefined> {
  const shown = record.commit === null ? [] : [{ commit: record.commit, token: record.token }]
  let reached: Token | undefined
  for (const revision of [...shown, ...record.history]) {
    if (!(await containsCommit(revision.commit, commit, repository, signal))) break
    reached = revision.token
  }
  return reached
}

async function containsCommit(
  commit: string,
  wanted: string,
  repository: Pick<SourceRepository, "seqOf" | "contains">,
  signal: AbortSignal,
): Promise<boolean> {
  if (commit === wanted) return true
  const known = await Promise.all([commit, wanted].map((one) => repository.seqOf(one, signal)))
  return !known.includes(undefined) && repository.contains(commit, wanted, signal)
}
