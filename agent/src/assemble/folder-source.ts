import { pathUnder } from "./projected-files.ts"
import { isReserved } from "./reserved-names.ts"
import { notReadYet, type ProjectionSource, waitsFor } from "./source.ts"

export interface FolderSourceOptions {
  path: string
  under?: string | undefined
  /** Permission bits of all files; otherwise by the executable bit. */
  mode?: number | undefined
  /** True: a folder without files is shown as that. */
  optional: boolean
  /** First path elements that the projection keeps for itself. */
  reserved: readonly string[]
}

/** A source that gives the files of a folder that another program publishes. */
export function createFolderSource(options: FolderSourceOptions): ProjectionSource {
  const { path, under, mode, optional, reserved } = options
  const name = `folder ${path}`
  return {
    name,
    history: name,
    isGuarded: true,
    async assemble(inputs) {
      const found = inputs.folders.get(path)
      if (found === undefined) throw notReadYet(name)
      if (typeof found === "string") throw waitsFor(name, found, "Repair what publishes it.")
      if (found.files.length === 0 && !optional) {
        throw waitsFor(name, "it has no files", "Check the path, or set optional: true.")
      }
      const placed = found.files.map((file) => ({
        ...file,
        path: pathUnder(under, file.path),
        mode: mode ?? file.mode,
      }))
      const others = placed.filter((file) => isReserved(file.path, reserved))
      return {
        key: found.key,
        revision: found.revision,
        origin: { source: name, instance: null },
        files: placed.filter((file) => !isReserved(file.path, reserved)),
        warnings: others.map(
          (file) => `${file.origin} is not shown: ${JSON.stringify(file.path)} is a name of Headrace's`,
        ),
      }
    },
  }
}
