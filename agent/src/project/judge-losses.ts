import { HeadraceError } from "@headrace/shared/foundation/errors"

/** Fewer lost files than these never stop a projection, as with the operator's guard (docs/decisions/011). */
const AT_LEAST = 20
/** Nor does a smaller share of what is shown. */
const SHARE = 0.5

/** What would be shown, against what is. */
export interface Change {
  id: string
  shown: ReadonlySet<string>
  wanted: ReadonlySet<string>
  /** Where it is shown. */
  path: string
}

/**
 * Throws `projection/guarded` when a change of sources that no operator's guard has judged (a git branch, live
 * objects) would empty a projection, or take most of it away: a folder that was renamed, a branch that was forced to
 * an empty tree. What is shown stays until that revision is approved.
 */
export function judgeLosses({ id, shown, wanted, path }: Change): void {
  const lost = [...shown].filter((name) => !wanted.has(name)).length
  const isEmptied = shown.size > 0 && wanted.size === 0
  if (!isEmptied && (lost <= AT_LEAST || lost <= shown.size * SHARE)) return
  throw new HeadraceError(
    "projection/guarded",
    `revision ${id} would take away ${lost} of the ${shown.size} files that are shown`,
    { hint: `Run headrace-agent approve ${path} ${id} if that is meant; until then what is shown stays.` },
  )
}
