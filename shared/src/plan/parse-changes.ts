import { JSON_SCHEMA } from "js-yaml"
import { errorText, UsageError } from "../foundation/errors.ts"
import { parseLocatedYaml } from "../foundation/located-yaml.ts"
import { problemText } from "../foundation/problem.ts"
import { schemaProblems } from "../foundation/schema-problems.ts"
import { type FileChange, FileChanges } from "./file-change.ts"

const CODES = {
  unknownField: "plan/unknown-field",
  missingField: "plan/missing-field",
  wrongValue: "plan/wrong-value",
} as const

/** Parses a JSON array of changed files; `file` names it. Throws UsageError `plan/wrong-changes`, which names each mistake and its position. */
export function parseChanges(text: string, file: string): FileChange[] {
  const result = FileChanges.safeParse(parseJson(text, file))
  if (result.success) return result.data
  // JSON is YAML, whose parser reports positions.
  const yaml = parseLocatedYaml(text, file, JSON_SCHEMA)
  const problems = schemaProblems(CODES, FileChanges, result.error.issues, yaml)
  throw wrong(`the list of changes is not valid\n${problems.map(problemText).join("\n")}`)
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw wrong(`${file} is not JSON: ${errorText(error)}`)
  }
}

function wrong(message: string): UsageError {
  return new UsageError("plan/wrong-changes", message, {
    hint: 'Give a JSON array of {"filename", "status", "previous_filename"}, in the words of GitHub\'s API.',
  })
}
