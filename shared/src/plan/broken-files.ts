import type { Problem } from "../foundation/problem.ts"
import { type TargetId, targetText } from "../foundation/target.ts"
import type { Rule } from "../rules/rule.ts"
import type { RuleIndex } from "../rules/rule-index.ts"
import { type PlanContext, targetAt } from "./plan-context.ts"
import { keyOf, nameOf } from "./target-key.ts"

/** What is wrong with files that rules name, and the targets that cannot be planned for it. */
export interface BrokenFiles {
  problems: Problem[]
  /** As `targetText`. */
  targets: ReadonlySet<string>
}

/**
 * Ties the tree's problems to the targets of the rules that match them. A file that cannot be read (a link
 * into nowhere) fails its targets: to plan without it would delete its key. What no rule names is nobody's
 * problem.
 */
export function brokenFiles(
  index: RuleIndex,
  treeProblems: readonly Problem[],
  context: PlanContext,
): BrokenFiles {
  const problems: Problem[] = []
  const targets = new Set<string>()
  for (const problem of treeProblems) {
    if (problem.file === undefined) continue
    const rule = index.first(problem.file)
    if (!rule) continue
    for (const target of targetsOfFile(rule, problem.file, context)) {
      problems.push({ ...problem, target })
      if (problem.severity === "error") targets.add(targetText(target))
    }
  }
  return { problems, targets }
}

/** The targets that hold a file's key under a rule: one partition, at every place. */
export function targetsOfFile(rule: Rule, path: string, context: PlanContext): TargetId[] {
  const name = nameOf(rule, keyOf(rule, path))
  return rule.places.map((place) => targetAt(place, name, context))
}
