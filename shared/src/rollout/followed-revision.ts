/** A revision by what is the same in every cluster: tokens and roots differ between clusters. */
export interface FollowedRevision {
  commit: string
  rulesCommit: string | null
  /** Digest of the rules and of the settings that affect their meaning. */
  rules: string
}

/** The revision of a record, a candidate, a rejection; undefined where it is not known under which rules. */
export function revisionOf(of: {
  commit: string | null
  rulesCommit: string | null
  rules: string | null
}): FollowedRevision | undefined {
  const { commit, rulesCommit, rules } = of
  return commit === null || rules === null ? undefined : { commit, rulesCommit, rules }
}

export function isSameRevision(
  a: Parameters<typeof revisionOf>[0] | null | undefined,
  b: Parameters<typeof revisionOf>[0] | null | undefined,
): boolean {
  if (!a || !b || a.commit === null || a.rules === null) return false
  return a.commit === b.commit && a.rulesCommit === b.rulesCommit && a.rules === b.rules
}
