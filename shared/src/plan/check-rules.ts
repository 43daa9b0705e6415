import type { ErrorCode } from "../foundation/errors.ts"
import type { Problem } from "../foundation/problem.ts"
import { targetText } from "../foundation/target.ts"
import type { Tree } from "../foundation/tree.ts"
import { globDifferences } from "../rules/glob-dialect.ts"
import type { Rule, RuleSet } from "../rules/rule.ts"
import { indexRules } from "../rules/rule-index.ts"
import { allowedRules } from "./compile-rules.ts"
import { type PlanContext, targetsOf } from "./plan-context.ts"

/** Files that two rules match: the first in declared order has them. */
interface Overlap {
  first: Rule
  later: Rule
  example: string
  files: number
}

/**
 * What a plan does not show: rules that overlap, with an example; rules that match nothing, or nothing that an
 * earlier one has not taken; globs that Prow reads otherwise. All warnings, at the rule's place.
 */
export function checkRules(rules: RuleSet, tree: Tree, context: PlanContext): Problem[] {
  const allowed = allowedRules(rules, context)
  const { overlaps, taken, matched } = matchAll(allowed, tree)
  return [
    ...overlaps.map((overlap) => overlapProblem(rules, overlap)),
    ...allowed.flatMap((rule) => idleProblems(rules, rule, matched.has(rule), taken.has(rule))),
    ...rules.rules.flatMap((rule) =>
      globDifferences(rule.glob).map((difference) => ({
        ...warning(rules, rule),
        ...named(rule, difference),
      })),
    ),
  ]
}

/**
 * Targets that rules of two sources claim: each would undo the other's writes. `context` is of the first one, whose
 * rules for other repositories alone claim nothing.
 */
export function claimedTwice(rules: RuleSet, others: readonly RuleSet[], context: PlanContext): Problem[] {
  const claimed = new Map<string, string>()
  for (const other of others) {
    for (const rule of other.rules) {
      for (const target of targetsOf(rule, context))
        claimed.set(targetText(target), `${other.file}:${rule.line}`)
    }
  }
  return allowedRules(rules, context).flatMap((rule) =>
    targetsOf(rule, context).flatMap((target) => {
      const place = claimed.get(targetText(target))
      if (place === undefined) return []
      const message = `ConfigMap ${targetText(target)} belongs to another source already (${place})`
      const code = "plan/claimed-twice"
      return [{ ...warning(rules, rule), severity: "error" as const, code, message, target }]
    }),
  )
}

function matchAll(allowed: readonly Rule[], tree: Tree) {
  const index = indexRules(allowed)
  const overlaps = new Map<string, Overlap>()
  const taken = new Set<Rule>()
  const matched = new Set<Rule>()
  for (const { path } of tree.files) {
    const [first, ...later] = index.all(path)
    if (!first) continue
    taken.add(first)
    matched.add(first)
    for (const rule of later) {
      matched.add(rule)
      const pair = `${first.glob}\n${rule.glob}`
      const known = overlaps.get(pair)
      if (known) known.files += 1
      else overlaps.set(pair, { first, later: rule, example: path, files: 1 })
    }
  }
  return { overlaps: [...overlaps.values()], taken, matched }
}

function overlapProblem(rules: RuleSet, { first, later, example, files }: Overlap): Problem {
  return {
    ...warning(rules, later),
    code: "rules/overlap",
    message: `${files} of the files that ${quote(later)} matches go to ${quote(first)} (line ${first.line}), which comes first: ${example}`,
    hint: "Narrow one of the globs; Prow chooses between them at random.",
  }
}

function idleProblems(rules: RuleSet, rule: Rule, isMatched: boolean, isTaken: boolean): Problem[] {
  if (isTaken) return []
  const message = isMatched
    ? `every file that ${quote(rule)} matches goes to an earlier rule`
    : `${quote(rule)} matches no file`
  const hint = "Correct the glob, or remove the rule."
  return [
    { ...warning(rules, rule), code: isMatched ? "rules/shadowed" : "rules/matches-nothing", message, hint },
  ]
}

function named(rule: Rule, difference: { code: ErrorCode; message: string; hint: string }) {
  return { ...difference, message: `${quote(rule)}: ${difference.message}` }
}

function quote(rule: Rule): string {
  return JSON.stringify(rule.glob)
}

function warning(rules: RuleSet, rule: Rule): Omit<Problem, "code" | "message"> {
  const { line, column } = rule
  return { severity: "warning", file: rules.file, line, column }
}
