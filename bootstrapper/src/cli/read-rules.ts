import { readFile } from "node:fs/promises"
import { isAbsolute, join } from "node:path"
import { UsageError } from "@headrace/shared/foundation/errors"
import { type ParsedRules, parseRules } from "@headrace/shared/rules/parse-rules"

/**
 * Reads and parses a rules file: as given, or else beneath one of the source paths, where a path in the
 * repository leads. Throws UsageError `rules/not-found`; what is wrong inside comes as problems.
 */
export async function readRules(file: string, sourcePaths: readonly string[]): Promise<ParsedRules> {
  const places = isAbsolute(file) ? [file] : [file, ...sourcePaths.map((folder) => join(folder, file))]
  let cause: unknown
  for (const place of places) {
    try {
      return parseRules(await readFile(place, "utf8"), place)
    } catch (error) {
      cause ??= error
    }
  }
  throw new UsageError("rules/not-found", `cannot read the rules ${file}`, {
    hint: "give the path of a plugins.yaml, on this machine or beneath a source path",
    cause,
  })
}
