import { UsageError } from "@headrace/shared/foundation/errors"
import { isSystemFolder } from "@headrace/shared/foundation/system-folder"

export interface PlacedProjection {
  name: string
  path: string
  /** `file:line:column` of it. */
  place?: string | undefined
}

/** Runs a check of settings; what it throws names the place in their file. */
export function atPlace(place: string | undefined, check: () => void): void {
  try {
    check()
  } catch (error) {
    if (place === undefined || !(error instanceof UsageError)) throw error
    const { code, message, hint, fields } = error
    throw new UsageError(code, `${place}: ${message}`, { ...(hint && { hint }), fields })
  }
}

/**
 * Refuses projections that would share a folder or contain one another: each clears its own folder of what it
 * does not show. Throws UsageError `settings/same-folder` that names both.
 */
export function checkFolders(projections: readonly PlacedProjection[]): void {
  for (const { name, path, place } of projections) {
    if (!isSystemFolder(path)) continue
    atPlace(place, () => {
      throw new UsageError(
        "publish/system-folder",
        `projection ${name} at ${path} would be among the system's files`,
        {
          hint: "Give it a folder of its own.",
        },
      )
    })
  }
  const byPath = [...projections].sort((a, b) => (`${a.path}/` < `${b.path}/` ? -1 : 1))
  byPath.forEach((projection, at) => {
    const before = byPath[at - 1]
    if (before === undefined || !`${projection.path}/`.startsWith(`${before.path}/`)) return
    atPlace(projection.place, () => {
      throw new UsageError(
        "settings/same-folder",
        `projections ${before.name} and ${projection.name} both want ${projection.path}`,
        { hint: "Give each a folder of its own, none inside another." },
      )
    })
  })
}

/**
 * Refuses a projection that would show itself, larger each time: an origin that is in its folder, or has its folder.
 * Throws UsageError `settings/own-folder`.
 */
export function checkOwnFolders(name: string, path: string, origins: readonly string[]): void {
  const own = origins.find((folder) => isWithin(folder, path) || isWithin(path, folder))
  if (own === undefined) return
  throw new UsageError(
    "settings/own-folder",
    `projection ${name} at ${path} would show itself: folder ${own}`,
    {
      hint: "Show it at a path outside of that folder.",
    },
  )
}

function isWithin(path: string, folder: string): boolean {
  return `${path}/`.startsWith(folder === "/" ? "/" : `${folder}/`)
}
