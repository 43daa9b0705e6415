import type { Problem } from "../foundation/problem.ts"
import { type TargetId, targetText } from "../foundation/target.ts"
import type { TreeProblem } from "../foundation/tree.ts"
import type { Rule } from "../rules/rule.ts"
import type { RuleIndex } from "../rules/rule-index.ts"
import { type PlanContext, targetAt, targetsOf } from "./plan-context.ts"
import { keyOf, nameOf } from "./target-key.ts"

/** What is wrong with files that rules name, and the targets that cannot be planned for it. */
export interface BrokenFiles {
  problems: Problem[]
  /** As `targetText`. */
  targets: ReadonlySet<string>
}

/**
 * Ties the tree's problems to the targets of the rules that match them. A file that cannot be read (a link
 * that dangles) fails its targets: to plan without it would delete its key. Where files may lie beneath the path
 * (the link led to a folder), every target fails that one of them could go to. What no rule names is nobody's
 * problem.
 */
export function brokenFiles(
  index: RuleIndex,
  treeProblems: readonly TreeProblem[],
  context: PlanContext,
): BrokenFiles {
  const problems: Problem[] = []
  const targets = new Set<string>()
  for (const { beneath, ...problem } of treeProblems) {
    const { file } = problem
    for (const target of beneath
      ? targetsBeneath(index, file, context)
      : targetsOfOneFile(index, file, context)) {
      problems.push({ ...problem, target })
      targets.add(targetText(target))
    }
  }
  return { problems, targets }
}

/** The targets that hold a file's key under a rule: one partition, at every place. */
export function targetsOfFile(rule: Rule, path: string, context: PlanContext): TargetId[] {
  const name = nameOf(rule, keyOf(rule, path))
  return rule.places.map((place) => targetAt(place, name, context))
}

function targetsOfOneFile(index: RuleIndex, path: string, context: PlanContext): TargetId[] {
  const rule = index.first(path)
  return rule ? targetsOfFile(rule, path, context) : []
}

/** Each target once; all partitions, since it is not known which keys are there. */
function targetsBeneath(index: RuleIndex, path: string, context: PlanContext): TargetId[] {
  const targets = index.reaching(path).flatMap((rule) => targetsOf(rule, context))
  return [...new Map(targets.map((target) => [targetText(target), target])).values()]
}
