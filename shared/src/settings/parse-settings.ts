import { readFile } from "node:fs/promises"
import { CORE_SCHEMA, mergeTag } from "js-yaml"
import type { z } from "zod"
import { hasCode, UsageError } from "../foundation/errors.ts"
import { keyProblems } from "../foundation/key-problems.ts"
import { type LocatedYaml, parseLocatedYaml } from "../foundation/located-yaml.ts"
import { countNodes } from "../foundation/located-yaml-node.ts"
import { type Problem, problemText } from "../foundation/problem.ts"
import { schemaProblems } from "../foundation/schema-problems.ts"

const CODES = {
  unknownField: "settings/unknown-field",
  missingField: "settings/missing-field",
  wrongValue: "settings/wrong-value",
  duplicateKey: "settings/duplicate-key",
  wrongKey: "settings/wrong-key",
} as const

const SETTINGS_SCHEMA = CORE_SCHEMA.withTags(mergeTag)
const NODES_LIMIT = 100_000

/**
 * Reads and parses one of our two configuration files.
 *
 * Throws UsageError: `settings/unreadable` when the file cannot be read, `settings/invalid` with every
 * problem as `file:line:column` on a line of its own. `onParsed` gets sound settings with the places in their file.
 */
export async function loadSettings<Schema extends z.ZodType>(
  file: string,
  schema: Schema,
  onParsed?: (settings: z.output<Schema>, yaml: LocatedYaml) => void,
): Promise<z.output<Schema>> {
  let text: string
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(await readFile(file))
  } catch (error) {
    throw new UsageError("settings/unreadable", `cannot read the settings ${file}`, {
      hint: "Check the path, its permissions and that the file is UTF-8 text.",
      cause: error,
    })
  }
  return parseSettings(text, file, schema, onParsed)
}

/** Parses settings from text; `file` names them in messages. Throws UsageError `settings/invalid`. */
export function parseSettings<Schema extends z.ZodType>(
  text: string,
  file: string,
  schema: Schema,
  onParsed?: (settings: z.output<Schema>, yaml: LocatedYaml) => void,
): z.output<Schema> {
  const yaml = readYaml(text, file)
  const node = yaml.root
  if (node && countNodes(node, NODES_LIMIT) > NODES_LIMIT) {
    throw invalidSettings([
      {
        severity: "error",
        code: "settings/too-large",
        message: `its aliases stand for more than ${NODES_LIMIT} values`,
        file,
      },
    ])
  }
  const keys = node ? keyProblems(CODES, yaml, node) : []
  const result = schema.safeParse(yaml.value)
  if (result.success && keys.length === 0) {
    onParsed?.(result.data, yaml)
    return result.data
  }
  const issues = result.error?.issues ?? []
  refuseOtherFile(file, issues)
  throw invalidSettings([...keys, ...schemaProblems(CODES, schema, issues, yaml)])
}

/** What distinguishes our two files: fields of one at the top that the other does not know. */
const OTHER_FILES = {
  projections: "the agent's file, and the operator's is expected",
  everyTarget: "the agent's file, and the operator's is expected",
  clusters: "the operator's file, and the agent's is expected",
} as const

/** Names the file where it is our other one: every field of it would be an unknown one. Throws UsageError `settings/other-file`. */
function refuseOtherFile(file: string, issues: readonly z.core.$ZodIssue[]): void {
  const unknown = issues.flatMap((issue) =>
    issue.code === "unrecognized_keys" && issue.path.length === 0 ? issue.keys : [],
  )
  for (const [field, what] of Object.entries(OTHER_FILES)) {
    if (!unknown.includes(field)) continue
    throw new UsageError("settings/other-file", `${file} is ${what}`, {
      hint: "Give --config the file of this program: headrace-agent reads the agent's, the other programs the operator's.",
    })
  }
}

function readYaml(text: string, file: string): LocatedYaml {
  try {
    return parseLocatedYaml(text, file, SETTINGS_SCHEMA)
  } catch (error) {
    if (!hasCode(error, "yaml/syntax")) throw error
    throw invalidSettings([{ severity: "error", code: error.code, message: error.message, ...error.fields }])
  }
}

function invalidSettings(problems: readonly Problem[]): UsageError {
  const lines = problems.map(problemText).join("\n")
  return new UsageError("settings/invalid", `the settings are not valid\n${lines}`, {
    fields: { problems: problems.length },
  })
}
