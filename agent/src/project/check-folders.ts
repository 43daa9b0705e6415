import { UsageError } from "@headrace/shared/foundation/errors"

/**
 * Refuses projections that would share a folder or contain one another: each clears its own folder of what it
 * does not show. Throws UsageError `settings/same-folder` that names both.
 */
export function checkFolders(projections: readonly { name: string; path: string }[]): void {
  const byPath = [...projections].sort((a, b) => (`${a.path}/` < `${b.path}/` ? -1 : 1))
  byPath.forEach((projection, at) => {
    const before = byPath[at - 1]
    if (before === undefined || !`${projection.path}/`.startsWith(`${before.path}/`)) return
    throw new UsageError(
      "settings/same-folder",
      `projections ${before.name} and ${projection.name} both want ${projection.path}`,
      { hint: "Give each a folder of its own, none inside another." },
    )
  })
}
