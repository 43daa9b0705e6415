import { type Placing, placeFiles } from "./place-files.ts"
import { notReadYet, type ProjectionSource, waitsFor } from "./source.ts"

export interface FolderSourceOptions extends Placing {
  path: string
  /** True: a folder without files is shown as that, and an item that it lacks is left out. */
  optional: boolean
}

/** A source that gives the files of a folder that another program publishes. */
export function createFolderSource(options: FolderSourceOptions): ProjectionSource {
  const { path, optional } = options
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
      return {
        key: found.key,
        revision: found.revision,
        origin: { source: name, instance: null },
        ...placeFiles(found.files, name, options),
      }
    },
  }
}
