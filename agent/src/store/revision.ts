import type { Token } from "@headrace/shared/record/record"

/** One file of a revision. */
export interface RevisionFile {
  /** In the projection, elements parted by `/`. */
  path: string
  /** 0o444, or 0o555 for an executable one; any other is taken as it is, without write bits. */
  mode: number
  size: number
  /** Of the content, 64 hex digits. */
  sha256: string
  /** Asked only when no equal file can be linked. */
  read(): Promise<Buffer>
}

/** What a projection shows at one time, whole. */
export interface Revision {
  /** Last part of the link's target: the full commit id, or a digest. */
  id: string
  token: Token
  files: readonly RevisionFile[]
  /** Publish even when only the id differs, for readers that take the commit from the link's name. */
  evenIfEqual?: boolean
  /** Asked when all of it is, durably, in `folder` and before it is shown; to throw is a veto. */
  approve?(folder: string): Promise<void>
}

/** True when `a` is older than `b`. */
export function isOlder(a: Token, b: Token): boolean {
  return a.epoch < b.epoch || (a.epoch === b.epoch && a.seq < b.seq)
}
