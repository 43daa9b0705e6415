import { readFile } from "node:fs/promises"
import { UsageError } from "@headrace/shared/foundation/errors"
import { type FileChange, FileChanges } from "@headrace/shared/plan/file-change"

/** Reads a JSON array of changed files. Throws UsageError `plan/wrong-changes`. */
export async function readChanges(file: string): Promise<FileChange[]> {
  try {
    return FileChanges.parse(JSON.parse(await readFile(file, "utf8")))
  } catch (error) {
    throw new UsageError("plan/wrong-changes", `cannot use ${file} as a list of changes`, {
      hint: 'give a JSON array of {"filename", "status", "previous_filename"}, in the words of GitHub\'s API',
      cause: error,
    })
  }
}
