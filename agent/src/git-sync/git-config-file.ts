import { readFile, writeFile } from "node:fs/promises"
import { dirname } from "node:path"
import { makeFolder } from "@headrace/shared/foundation/make-folder"

/**
 * A volume, or a repository that --repo names by its path, can belong to another user. git gives no setting of a
 * command's environment to the process that reads such a repository, and takes this one from no repository: git-config(1).
 */
const TEXT = "[safe]\n\tdirectory = *\n"

/** Writes the settings that must stand in a file. Throws when its folder cannot be written. */
export async function writeGitConfigFile(file: string): Promise<void> {
  if ((await readFile(file, "utf8").catch(() => "")) === TEXT) return
  await makeFolder(dirname(file))
  await writeFile(file, TEXT)
}
