import { canonicalJson } from "../foundation/canonical-json.ts"
import { sha256 } from "../foundation/digest.ts"
import { hasCode } from "../foundation/errors.ts"
import { mappingKeys, type Position } from "../foundation/located-yaml.ts"
import type { YamlNode } from "../foundation/located-yaml-node.ts"
import type { Problem } from "../foundation/problem.ts"
import { schemaProblems } from "../foundation/schema-problems.ts"
import { DEFAULT_WRITER_BOUNDS, type WriterBounds } from "../settings/bounds.ts"
import { ConfigUpdater, DEFAULT_MAPS } from "./config-updater.ts"
import { tooManyTargets } from "./count-targets.ts"
import { resolveRule } from "./resolve-rule.ts"
import type { Rule, RuleSet } from "./rule.ts"
import { type RulesYaml, readRulesYaml } from "./rules-yaml.ts"

const CODES = {
  unknownField: "rules/unknown-field",
  missingField: "rules/missing-field",
  wrongValue: "rules/wrong-value",
} as const

export interface ParsedRules {
  /** Undefined when any problem is an error. */
  rules: RuleSet | undefined
  problems: Problem[]
}

/** How large a rules file may be, and how many ConfigMaps it may name. */
export type RulesBounds = Pick<WriterBounds, "rulesFile" | "targets">

/**
 * Parses the text of a rules file: Prow's plugins.yaml, of which `config_updater` alone counts and is held
 * to its schema. `file` names it in problems. Never throws for what a user wrote.
 */
export function parseRules(
  text: string,
  file: string,
  bounds: RulesBounds = DEFAULT_WRITER_BOUNDS,
): ParsedRules {
  try {
    return resolveRules(readRulesYaml(text, file, bounds.rulesFile), bounds)
  } catch (error) {
    if (!hasCode(error, "rules/unreadable")) throw error
    return { rules: undefined, problems: [error.fields.problem as Problem] }
  }
}

function resolveRules(read: RulesYaml, bounds: RulesBounds): ParsedRules {
  const { yaml } = read
  if (read.section === undefined && read.problems.length > 0) {
    return { rules: undefined, problems: read.problems }
  }
  const result = ConfigUpdater.safeParse(read.section ?? {})
  if (!result.success) {
    const { issues } = result.error
    const found = schemaProblems(CODES, ConfigUpdater, issues, yaml, ["config_updater"])
    return { rules: undefined, problems: [...read.problems, ...found] }
  }
  const maps = new Map(Object.entries(result.data.maps ?? {}))
  const problems = [...read.problems]
  if (maps.size === 0) {
    for (const [glob, spec] of Object.entries(DEFAULT_MAPS)) maps.set(glob, spec)
    problems.push({
      severity: "warning",
      code: "rules/default-maps",
      message: `"config_updater.maps" is empty, so Prow's defaults apply: ${[...maps.keys()].join(", ")}`,
      file: yaml.file,
      ...yaml.keyPositionOf(["config_updater", "maps"]),
    })
  }
  const order = declaredOrder(read, maps)
  const tooMany = tooManyTargets(order, maps, result.data, bounds.targets)
  if (tooMany) return { rules: undefined, problems: [...problems, { ...tooMany, file: yaml.file }] }
  const rules: Rule[] = []
  for (const { glob, position } of order) {
    const resolved = resolveRule(glob, maps.get(glob) ?? {}, result.data, { yaml, position })
    rules.push(resolved.rule)
    problems.push(...resolved.problems)
  }
  if (problems.some((problem) => problem.severity === "error")) return { rules: undefined, problems }
  return { rules: { file: yaml.file, rules, digest: digestRules(rules) }, problems }
}

/** Globs as they are written: JavaScript objects would put a glob like `404` before all others. */
function declaredOrder(
  { yaml }: RulesYaml,
  maps: ReadonlyMap<string, unknown>,
): { glob: string; position: Position }[] {
  const section = yaml.root && child(yaml.root, "config_updater")
  const node = section && child(section, "maps")
  const written = (node ? mappingKeys(node) : []).filter((entry) => maps.has(entry.key))
  const order = written.map((entry) => ({ glob: entry.key, position: yaml.positionAt(entry.offset) }))
  const known = new Set(order.map(({ glob }) => glob))
  const unplaced = [...maps.keys()].filter((glob) => !known.has(glob))
  const position = yaml.keyPositionOf(["config_updater", "maps"])
  return [...order, ...unplaced.map((glob) => ({ glob, position }))]
}

function child(node: YamlNode, key: string): YamlNode | undefined {
  return mappingKeys(node).find((entry) => entry.key === key)?.value
}

function digestRules(rules: readonly Rule[]): string {
  return sha256(canonicalJson(rules.map((rule) => ({ ...rule, line: undefined, column: undefined }))))
}
