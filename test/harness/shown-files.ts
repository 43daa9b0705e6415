import { readdir, readFile, realpath } from "node:fs/promises"
import { join } from "node:path"

/** Contents of all files below a folder, by path relative to it. */
export async function filesBelow(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const texts = await Promise.all(
    files.map(async (file) => [file.slice(folder.length + 1), await readFile(file, "utf8")]),
  )
  return Object.fromEntries(texts)
}

/** What a projection shows, through `..data`. */
export async function shown(folder: string): Promise<Record<string, string>> {
  return filesBelow(await realpath(join(folder, "..data")))
}
