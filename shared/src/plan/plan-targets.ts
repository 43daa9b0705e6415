import type { Problem } from "../foundation/problem.ts"
import { compareTargets, type TargetId, targetText } from "../foundation/target.ts"
import type { Tree } from "../foundation/tree.ts"
import { isAllowed } from "../rules/access-list.ts"
import type { Rule, RuleSet } from "../rules/rule.ts"
import { indexRules } from "../rules/rule-index.ts"
import { assignFiles } from "./assign-files.ts"
import { brokenFiles } from "./broken-files.ts"
import { type JudgedKeys, judgeGivenKeys } from "./judge-given-keys.ts"
import { judgePlace, type Objection } from "./judge-place.ts"
import type { Plan, PlannedTarget } from "./plan.ts"
import { type PlanContext, targetsOf } from "./plan-context.ts"

/** A target and the rules that give it files, in declared order. */
interface Claimed {
  target: TargetId
  givers: Rule[]
}

/**
 * What every target holds at a commit: a function of rules, tree and context alone.
 *
 * Only rules that the repository may feed exist for it. A file belongs to the first rule that matches it, a
 * key to one partition. A target that no file goes to stays planned, empty; one with an error among the
 * problems is left out, and the others carry on.
 */
export function planTargets(rules: RuleSet, tree: Tree, context: PlanContext): Plan {
  const allowed = allowedRules(rules, context)
  const index = indexRules(allowed)
  const assignment = assignFiles(index, tree.files)
  const broken = brokenFiles(index, tree.problems, context)
  const problems: Problem[] = [...unknownRepository(rules, context), ...broken.problems]
  const targets: PlannedTarget[] = []
  const judged = new Map<string, JudgedKeys>()
  for (const { target, givers } of claimedTargets(allowed, context)) {
    const same = [target.name, ...givers.map((rule) => rule.glob)].join("\n")
    const given = givers.map((rule) => assignment.get(rule)?.get(target.name) ?? [])
    const content = judged.get(same) ?? judgeGivenKeys(target.name, givers, given, context.strict ?? false)
    judged.set(same, content)
    const place = judgePlace(target, context)
    const errors = place ? [place, ...content.errors] : content.errors
    const where = { target, file: rules.file, ...positionOf(givers) }
    problems.push(...errors.map((error) => asProblem("error", error, where)))
    problems.push(...content.warnings.map((warning) => asProblem("warning", warning, where)))
    if (errors.length > 0 || broken.targets.has(targetText(target))) continue
    targets.push({ target, view: content.view, keys: content.keys })
  }
  return { targets, problems }
}

/** The rules that the repository may feed. */
export function allowedRules(rules: RuleSet, context: PlanContext): Rule[] {
  return rules.rules.filter((rule) => isAllowed(rule, context.repo))
}

function claimedTargets(rules: readonly Rule[], context: PlanContext): Claimed[] {
  const claimed = new Map<string, Claimed>()
  for (const rule of rules) {
    for (const target of targetsOf(rule, context)) {
      const text = targetText(target)
      const known = claimed.get(text)
      if (!known) claimed.set(text, { target, givers: [rule] })
      else if (!known.givers.includes(rule)) known.givers.push(rule)
    }
  }
  return [...claimed.values()].sort((a, b) => compareTargets(a.target, b.target))
}

function positionOf(givers: readonly Rule[]): { line?: number; column?: number } {
  const [first] = givers
  return first ? { line: first.line, column: first.column } : {}
}

function asProblem(
  severity: Problem["severity"],
  objection: Objection,
  where: Omit<Problem, "severity" | "code" | "message">,
): Problem {
  return { severity, ...objection, ...where }
}

/** Prow's bootstrapper silently skips such rules, and their ConfigMaps go stale for good (B3). */
function unknownRepository(rules: RuleSet, context: PlanContext): Problem[] {
  if (context.repo) return []
  return rules.rules
    .filter((rule) => rule.allowedRepos.length > 0)
    .map((rule) => ({
      severity: "warning",
      code: "plan/unknown-repository",
      message: `rule ${JSON.stringify(rule.glob)} is left out: it is for ${rule.allowedRepos.join(", ")} alone, and the repository is not known`,
      hint: "Say which repository this is (--repo ORG/NAME).",
      file: rules.file,
      line: rule.line,
      column: rule.column,
    }))
}
