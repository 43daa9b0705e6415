import { readFile } from "node:fs/promises"
import { isAbsolute, join } from "node:path"
import { UsageError } from "@headrace/shared/foundation/errors"
import { type ParsedRules, parseRules } from "@headrace/shared/rules/parse-rules"

/**
 * Reads and parses a rules file: as given, or else beneath one of the source paths, where a path in the
 * repository leads. Throws UsageError `rules/not-found`; what is wrong inside comes as problems.
 */
export async function readRules(file: string, sourcePaths: readonly string[]): Promise<ParsedRules> {
  const paths = isAbsolute(file) ? [file] : [file, ...sourcePaths.map((folder) => join(folder, file))]
  let cause: unknown
  for (const path of paths) {
    try {
      return parseRules(await readFile(path, "utf8"), path)
    } catch (error) {
      cause ??= error
    }
  }
  throw new UsageError("rules/not-found", `cannot read the rules ${file}`, {
    hint: "Give the path of a plugins.yaml, on this machine or beneath a source path.",
    cause,
  })
}
