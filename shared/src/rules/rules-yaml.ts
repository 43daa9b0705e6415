import { YAML11_SCHEMA } from "js-yaml"
import { suggestion } from "../foundation/closest-word.ts"
import { type ErrorCode, HeadraceError, hasCode } from "../foundation/errors.ts"
import { keyProblems } from "../foundation/key-problems.ts"
import { type LocatedYaml, parseLocatedYaml } from "../foundation/located-yaml.ts"
import { countNodes, type YamlNode } from "../foundation/located-yaml-node.ts"
import type { Problem } from "../foundation/problem.ts"
import { DEFAULT_WRITER_BOUNDS } from "../settings/bounds.ts"

const CODES = {
  duplicateKey: "rules/duplicate-key",
  wrongKey: "rules/wrong-key",
} as const

const NODES_LIMIT = 250_000
const SECTION = "config_updater"

/** A plugins.yaml with its `config_updater`; the section is undefined when the file has none. */
export interface RulesYaml {
  yaml: LocatedYaml
  section: unknown
  problems: Problem[]
}

/**
 * Reads the YAML of a rules file: YAML 1.1 with merge keys, as Prow's Go parser does. Everything outside
 * `config_updater` only has to be YAML. Throws HeadraceError `rules/unreadable` with the problem as a field
 * when there is nothing to go on with. `most`: bytes of the file.
 */
export function readRulesYaml(text: string, file: string, most = DEFAULT_WRITER_BOUNDS.rulesFile): RulesYaml {
  const size = Buffer.byteLength(text)
  if (size > most)
    throw unreadable(file, "rules/too-large", `has ${size} bytes, and bounds.rulesFile is ${most}`)
  const yaml = parse(text, file)
  if (yaml.root?.kind !== "mapping") {
    throw unreadable(
      file,
      "rules/not-a-mapping",
      yaml.root === undefined ? "is empty" : 'is not a mapping with "config_updater" in it',
      1,
      `Name a plugins.yaml, or begin one with "${SECTION}:".`,
    )
  }
  const node = yaml.root.entries.findLast((entry) => entry.key === SECTION)?.value
  if (!node) return { yaml, section: undefined, problems: missingSection(yaml, yaml.root) }
  if (countNodes(node, NODES_LIMIT) > NODES_LIMIT) {
    const { line } = yaml.positionAt(node.offset)
    throw unreadable(
      file,
      "rules/too-large",
      `has aliases that stand for more than ${NODES_LIMIT} values`,
      line,
    )
  }
  const section = Object(yaml.value)[SECTION] as unknown
  return { yaml, section, problems: keyProblems(CODES, yaml, node) }
}

function parse(text: string, file: string): LocatedYaml {
  try {
    return parseLocatedYaml(text, file, YAML11_SCHEMA)
  } catch (error) {
    if (!hasCode(error, "yaml/syntax")) throw error
    const problem: Problem = { severity: "error", code: error.code, message: error.message, ...error.fields }
    throw new HeadraceError("rules/unreadable", error.message, { fields: { problem }, cause: error })
  }
}

function unreadable(
  file: string,
  code: ErrorCode,
  what: string,
  line?: number,
  hint?: string,
): HeadraceError {
  const message = `the rules file ${what}`
  const place = { file, ...(line && { line, column: 1 }) }
  const problem: Problem = { severity: "error", code, message, ...place, ...(hint && { hint }) }
  return new HeadraceError("rules/unreadable", message, { fields: { problem } })
}

/** Without the section Prow's two default rules apply; a slip in its name must not bring that about. */
function missingSection(yaml: LocatedYaml, root: YamlNode): Problem[] {
  const slip = root.entries.find(
    (entry) => entry.key === "maps" || suggestion(entry.key, [SECTION]).startsWith("Check the spelling"),
  )
  if (!slip) return isPlugins(root) ? [] : [notRules(yaml)]
  return [
    {
      severity: "error",
      code: "rules/unknown-field",
      message: `there is no "${SECTION}", but "${slip.key}"`,
      hint: slip.key === "maps" ? `Put it under "${SECTION}:".` : suggestion(slip.key, [SECTION]),
      file: yaml.file,
      ...yaml.positionAt(slip.offset),
    },
  ]
}

/**
 * The members of Prow's plugins.yaml (prow/plugins/config.go, `Configuration`). A file without any of them is another
 * kind of YAML: taken for rules, it would name none of the repository's files.
 */
const PLUGINS_MEMBERS = new Set(
  `plugins external_plugins owners approve blockades blunderbuss bugzilla cat cherry_pick_approved
  cherry_pick_unapproved cherrypick_approved dco golint goose heart jira label lgtm milestone_applier help override
  project_config project_manager repo_milestone require_matching_label retitle sigmention size slack triggers welcome
  branch_cleaner pony dog yuks assign hold lifecycle skip shrug stage tide trigger release_note release_notes
  require_sig merge_method_comment transfer_issue verify_owners wip work_in_progress`.split(/\s+/),
)

/** True for a plugins.yaml, and for one that says nothing at all. */
function isPlugins(root: YamlNode): boolean {
  return root.entries.length === 0 || root.entries.some(({ key }) => PLUGINS_MEMBERS.has(key))
}

function notRules(yaml: LocatedYaml): Problem {
  return {
    severity: "error",
    code: "rules/no-section",
    message: `this is no rules file: it has no "${SECTION}"`,
    hint: `Name a plugins.yaml, or begin one with "${SECTION}:".`,
    file: yaml.file,
    line: 1,
    column: 1,
  }
}
