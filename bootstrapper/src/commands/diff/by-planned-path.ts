import type { TreeFile } from "@headrace/shared/foundation/tree"
import type { CheckedOutFile } from "@headrace/shared/git/checked-out-files"

/** Asks for files by their places in the repository, links followed, and gives what is found by the planned paths. */
export async function byPlannedPath(
  files: readonly TreeFile[],
  find: (paths: readonly string[]) => Promise<ReadonlyMap<string, CheckedOutFile>>,
): Promise<ReadonlyMap<string, CheckedOutFile>> {
  const placeOf = ({ path, real = path }: TreeFile) => real
  const found = await find([...new Set(files.map(placeOf))])
  return new Map(
    files.flatMap((file) => {
      const clone = found.get(placeOf(file))
      return clone ? [[file.path, clone] as const] : []
    }),
  )
}
