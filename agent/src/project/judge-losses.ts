import { sha256 } from "@headrace/shared/foundation/digest"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import { type GuardLimits, judgeChange, type PastDeletions } from "@headrace/shared/gates/guard/judge-change"
import { type ChangeSize, type GuardedKey, measureChange } from "@headrace/shared/gates/guard/measure-change"
import { GUARDED, guardedMessage } from "@headrace/shared/record/guarded-revision"

/** The contents of files that hold nothing: no bytes, or a line's end alone. */
const NOTHING = new Set(["", "\n", "\r\n"].map(sha256))

/** A file as the guard compares it. */
export interface JudgedFile {
  path: string
  sha256: string
}

/** What would be shown of an origin, or of a whole projection, against what is. */
export interface Change {
  /** Names it, for the message. */
  what: string
  /** The id to approve. */
  revision: string
  shown: readonly JudgedFile[]
  wanted: readonly JudgedFile[]
  /** True when it is all that the projection shows: nothing is emptied by accident (invariant 6), be it one file. */
  isWhole: boolean
  /** Where it is shown. */
  path: string
  /** What was deleted of it before. */
  past: readonly PastDeletions[]
}

/**
 * Throws `projection/guarded` when a change that no operator's guard has judged would take most of what is shown away,
 * alone or with what was deleted within the hours before: a folder that was renamed, a branch that was forced to an
 * empty tree. Gives how much it deletes. The rule is the operator's guard's (shared/src/gates/guard), for which each
 * origin is one target.
 */
export function judgeLosses(change: Change, limits: GuardLimits, now: number): ChangeSize {
  const { what, revision, shown, wanted, path, past } = change
  const size = measureLosses(shown, wanted)
  const isEmptied = change.isWhole && shown.length > 0 && wanted.length === 0
  if (!isEmptied && judgeChange(size, limits, past, now) === undefined) return size
  const renamed = size.renamed.length > 0 ? `, and rename ${size.renamed.length} more` : ""
  throw new HeadraceError(
    GUARDED,
    guardedMessage(
      revision,
      `of ${what} would take away ${size.deletedKeys} of the ${size.keys} files that are shown${renamed}`,
    ),
    {
      hint: `Run headrace-agent approve ${path} ${revision} if that is meant; until then what is shown stays.`,
      fields: { deleted: size.deletedKeys, of: size.keys, renamed: size.renamed.length },
    },
  )
}

function measureLosses(shown: readonly JudgedFile[], wanted: readonly JudgedFile[]): ChangeSize {
  return measureChange(new Map([["", keysOf(shown)]]), new Map([["", keysOf(wanted)]]), new Set())
}

function keysOf(files: readonly JudgedFile[]): GuardedKey[] {
  return files.map(({ path, sha256 }) => ({ key: path, content: sha256, empty: NOTHING.has(sha256) }))
}
