import { waitsFor } from "./source.ts"

/** One entry of `items`, as a kubelet's projected volume has them. */
export interface NamedItem {
  key: string
  path: string
  mode?: number | undefined
}

/** A file with the path and mode that an item gives it. */
export interface ChosenFile<File> {
  file: File
  path: string
  mode?: number | undefined
}

/**
 * The files that `items` name, in their order; without items all, under their own names. An item whose key is
 * absent is waited for unless `optional`, as the kubelet does it. Throws `projection/waits`.
 */
export function chooseItems<File>(
  files: readonly File[],
  items: readonly NamedItem[] | undefined,
  options: { nameOf(file: File): string; owner: string; optional: boolean },
): ChosenFile<File>[] {
  if (items === undefined) return files.map((file) => ({ file, path: options.nameOf(file) }))
  const byName = new Map(files.map((file) => [options.nameOf(file), file]))
  return items.flatMap((item) => {
    const file = byName.get(item.key)
    if (file !== undefined) return [{ file, path: item.path, mode: item.mode }]
    if (options.optional) return []
    const hint = "Add the key, drop the item, or set optional: true."
    throw waitsFor(`${options.owner}, key ${item.key}`, "it has no such key", hint)
  })
}
