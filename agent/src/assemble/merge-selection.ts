import type { ProjectedFile } from "./projected-files.ts"

/** A file of a selection with the ConfigMap that it is of. */
export interface SelectedFile extends ProjectedFile {
  /** `namespace/name`. */
  owner: string
}

export interface MergedSelection {
  files: SelectedFile[]
  /** A sentence for each file that is not shown, since another ConfigMap's has its path. */
  losers: string[]
}

/**
 * One file for each path of a selection. Of several the one keeps it that had it (`holds` says so); where none had, the
 * first by namespace and name. So a ConfigMap that anybody adds takes nothing away. Pure; `files` come in the order
 * of their ConfigMaps.
 */
export function mergeSelection(
  files: readonly SelectedFile[],
  holds: (file: SelectedFile) => boolean,
): MergedSelection {
  const byPath = new Map<string, SelectedFile>()
  for (const file of files) {
    const other = byPath.get(file.path)
    if (other === undefined || (holds(file) && !holds(other))) byPath.set(file.path, file)
  }
  const kept = [...byPath.values()]
  const winners = new Set(kept)
  const losers = files
    .filter((file) => !winners.has(file))
    .map(
      (file) =>
        `${file.origin} is not shown: ${byPath.get(file.path)?.origin} has ${JSON.stringify(file.path)}`,
    )
  return { files: kept, losers }
}
