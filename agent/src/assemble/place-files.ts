import { chooseItems, type NamedItem } from "./choose-items.ts"
import { type ProjectedFile, pathUnder } from "./projected-files.ts"
import { isReserved } from "./reserved-names.ts"

/** Where the files of a source go whose files have paths of their own. */
export interface Placing {
  /** Folder of the projection that they go to. */
  under?: string | undefined
  /** Only these, by their paths in the source, at these places; absent: all, by their own paths. */
  items?: readonly NamedItem[] | undefined
  /** Permission bits of all files; otherwise by the executable bit. */
  mode?: number | undefined
  /** True: an item that the source lacks is left out, and not waited for. */
  optional?: boolean
  /** First path elements that the projection keeps for itself. */
  reserved?: readonly string[]
}

/**
 * Files at their places in the projection, and a sentence for each that wants a name of Headrace's. `owner` names the
 * source. Throws `projection/waits` for an item that the source lacks.
 */
export function placeFiles(
  files: readonly ProjectedFile[],
  owner: string,
  { under, items, mode, optional = false, reserved = [] }: Placing,
): { files: ProjectedFile[]; warnings: string[] } {
  const chosen = chooseItems(files, items, { nameOf: ({ path }) => path, owner, optional })
  const placed = chosen.map(({ file, path, mode: own }) => ({
    ...file,
    path: pathUnder(under, path),
    mode: own ?? mode ?? file.mode,
  }))
  const others = placed.filter(({ path }) => isReserved(path, reserved))
  return {
    files: placed.filter(({ path }) => !isReserved(path, reserved)),
    warnings: others.map(
      ({ path, origin }) => `${origin} is not shown: ${JSON.stringify(path)} is a name of Headrace's`,
    ),
  }
}
