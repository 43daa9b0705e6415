import { readFile } from "node:fs/promises"
import { UsageError } from "@headrace/shared/foundation/errors"
import type { FileChange } from "@headrace/shared/plan/file-change"
import { parseChanges } from "@headrace/shared/plan/parse-changes"

/** Reads a JSON array of changed files. Throws UsageError `plan/wrong-changes`. */
export async function readChanges(file: string): Promise<FileChange[]> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new UsageError("plan/wrong-changes", `cannot read the list of changes ${file}`, { cause })
  })
  return parseChanges(text, file)
}
