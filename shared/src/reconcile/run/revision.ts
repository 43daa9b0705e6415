import type { Token } from "../../record/record.ts"

/** A commit of the source and, where the rules come from another source, the commit of those. */
export interface SourceRevision {
  commit: string
  rulesCommit: string | null
}

/** Where a run wants to bring its cluster, and with which token it writes. */
export interface DesiredRevision extends SourceRevision {
  token: Token
}

/** Something that was shown, or may have been: the desired revision must contain it, or stand in a larger epoch. */
export interface OrderedRevision extends SourceRevision {
  token: Token
}
