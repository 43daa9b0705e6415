import type { Problem } from "../foundation/problem.ts"
import { type TargetId, targetText } from "../foundation/target.ts"
import type { TreeProblem } from "../foundation/tree.ts"
import type { Rule } from "../rules/rule.ts"
import { isUnreadable } from "../rules/unreadable-names.ts"
import type { CompiledRules } from "./compile-rules.ts"
import { type PlanContext, targetAt, targetsOf } from "./plan-context.ts"
import { keyOf, nameOf } from "./target-key.ts"

/** What is wrong with files that rules name, and the targets that cannot be planned for it. */
export interface BrokenFiles {
  problems: readonly Problem[]
  /** As `targetText`. */
  targets: ReadonlySet<string>
  /** The targets of each problem, by its path and whether more may lie beneath. */
  known: ReadonlyMap<string, readonly TargetId[]>
}

export const NOTHING_BROKEN: BrokenFiles = { problems: [], targets: new Set(), known: new Map() }

/**
 * Ties the tree's problems to the targets of the rules that match them. A file that cannot be read (a link
 * that dangles) fails its targets: to plan without it would delete its key. Where files may lie beneath the path
 * (the link led to a folder), every target fails that one of them could go to, and of a name that is no UTF-8, every target
 * that it could go to by another name. What no rule names is nobody's problem. `before`: of another tree under the same rules.
 */
export function brokenFiles(
  { index, context }: CompiledRules,
  treeProblems: readonly TreeProblem[],
  before: BrokenFiles = NOTHING_BROKEN,
): BrokenFiles {
  const problems: Problem[] = []
  const targets = new Set<string>()
  const known = new Map<string, readonly TargetId[]>()
  for (const { beneath, ...problem } of treeProblems) {
    const { file } = problem
    const place = `${beneath ? "beneath" : "at"} ${file}`
    const concerned = before.known.get(place) ?? targetsConcerned({ index, context }, file, beneath)
    known.set(place, concerned)
    for (const target of concerned) {
      problems.push({ ...problem, target })
      targets.add(targetText(target))
    }
  }
  return { problems, targets, known }
}

/** The targets that hold a file's key under a rule: one partition, at every place. */
export function targetsOfFile(rule: Rule, path: string, context: PlanContext): TargetId[] {
  const name = nameOf(rule, keyOf(rule, path))
  return rule.places.map((place) => targetAt(place, name, context))
}

/** The targets that the rules give a file to, whether it is there or not. */
export function targetsOfPath(
  { index, context }: Pick<CompiledRules, "index" | "context">,
  path: string,
): TargetId[] {
  const rule = index.first(path)
  return rule ? targetsOfFile(rule, path, context) : []
}

function targetsConcerned(
  { index, context }: Pick<CompiledRules, "index" | "context">,
  path: string,
  beneath: boolean,
): readonly TargetId[] {
  if (isUnreadable(path)) return allTargets(index.perhaps(path, beneath), context)
  return beneath ? allTargets(index.reaching(path), context) : targetsOfPath({ index, context }, path)
}

/** Each target once; all partitions, since it is not known which keys are there. */
function allTargets(rules: readonly Rule[], context: PlanContext): TargetId[] {
  const targets = rules.flatMap((rule) => targetsOf(rule, context))
  return [...new Map(targets.map((target) => [targetText(target), target])).values()]
}
