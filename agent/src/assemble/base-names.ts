import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { ProjectedFile } from "./projected-files.ts"

/** Which files need a base name of their own: all, none, or those whose names end so. */
export type BaseNameRule = boolean | readonly string[]

/**
 * Refuses two files with one base name, as Prow refuses job configuration with two (kubernetes/test-infra
 * prow/config, "duplicated basename is not allowed"). Throws `projection/same-name` that names both files' origins. Pure.
 */
export function checkBaseNames(files: readonly ProjectedFile[], rule: BaseNameRule): void {
  if (rule === false) return
  const byName = new Map<string, ProjectedFile>()
  for (const file of files) {
    const name = file.path.slice(file.path.lastIndexOf("/") + 1)
    if (rule !== true && !rule.some((ending) => name.endsWith(ending))) continue
    const other = byName.get(name)
    if (other !== undefined) throw sameName(name, other, file)
    byName.set(name, file)
  }
}

function sameName(name: string, first: ProjectedFile, second: ProjectedFile): HeadraceError {
  const placed = ({ path, origin }: ProjectedFile) => `${JSON.stringify(path)} of ${origin}`
  return new HeadraceError(
    "projection/same-name",
    `two files with the base name ${JSON.stringify(name)}: ${placed(first)} and ${placed(second)}`,
    { hint: "Rename one of them, or narrow uniqueBaseNames to the endings that matter.", fields: { name } },
  )
}
