import { readdir, readFile } from "node:fs/promises"
import { basename, dirname, isAbsolute, join } from "node:path"
import { closestWord } from "@headrace/shared/foundation/closest-word"
import { UsageError } from "@headrace/shared/foundation/errors"
import { type ParsedRules, parseRules, type RulesBounds } from "@headrace/shared/rules/parse-rules"

/** What git would store of a file on disk; undefined when it is in no checkout that was read. */
type FileAt = (place: string) => Promise<Buffer | undefined>

/**
 * Reads and parses a rules file: as given, or otherwise beneath one of the source paths, where a path in the
 * repository leads. With `fileAt`, a file of a checkout is read as git would store it. Throws UsageError `rules/not-found`; what is wrong inside comes as problems.
 */
export async function readRules(
  file: string,
  sourcePaths: readonly string[],
  { fileAt, bounds }: { fileAt?: FileAt | undefined; bounds?: RulesBounds | undefined } = {},
): Promise<ParsedRules> {
  const paths = isAbsolute(file) ? [file] : [file, ...sourcePaths.map((folder) => join(folder, file))]
  let cause: unknown
  for (const path of paths) {
    try {
      const onDisk = await readFile(path)
      return parseRules(((await fileAt?.(path)) ?? onDisk).toString("utf8"), path, bounds)
    } catch (error) {
      // Where there is something at one of the places, what is wrong with that says more.
      if (cause === undefined || !isMissing(error)) cause = error
    }
  }
  const near = await closestFile(paths)
  throw new UsageError("rules/not-found", `cannot read the rules ${file}`, {
    hint:
      near === undefined
        ? "Give the path of a plugins.yaml, on this machine or beneath a source path."
        : `Check the spelling: did you mean ${near}?`,
    cause,
  })
}

/** The file beside one of the places that its name is most likely a slip of. */
async function closestFile(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const names = await readdir(dirname(path)).catch(() => [])
    const closest = closestWord(basename(path), names)
    if (closest !== undefined && closest !== basename(path)) return join(dirname(path), closest)
  }
  return undefined
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT"
}
