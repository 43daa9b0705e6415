/** Enough digits for a person to distinguish two commits by. */
const SHOWN_DIGITS = 12

/** The first digits of a commit's id, or `nothing`. An id of several origins stays as it is: it is short already. */
export function shortCommit(commit: string | null | undefined): string {
  if (!commit) return "nothing"
  return /^[0-9a-f]{40,}$/.test(commit) ? commit.slice(0, SHOWN_DIGITS) : commit
}
