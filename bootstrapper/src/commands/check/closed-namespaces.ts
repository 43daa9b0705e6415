import { namedText } from "@headrace/shared/foundation/named-text"
import type { Problem } from "@headrace/shared/foundation/problem"
import { type TargetId, targetText } from "@headrace/shared/foundation/target"
import { allowedRules } from "@headrace/shared/plan/compile-rules"
import { namespacesLine } from "@headrace/shared/plan/open-namespaces"
import type { Plan } from "@headrace/shared/plan/plan"
import { type PlanContext, targetsOf } from "@headrace/shared/plan/plan-context"
import type { Rule, RuleSet } from "@headrace/shared/rules/rule"

/** ConfigMaps that are named one by one; the others are counted. */
const MOST_NAMED = 20

/** What rules name in one namespace that is closed by default, where a rule first does. */
interface ClosedNamespace {
  cluster: string
  namespace: string
  rule: Rule
  names: string[]
}

/**
 * What rules name in namespaces that are closed by default: nothing new is created there. `check` sees no cluster, so a
 * warning says it of what may exist. What the merge base (`was`) does not name is new, and an error.
 */
export function closedProblems(
  plan: Plan,
  rules: RuleSet,
  context: PlanContext,
  was: Plan | undefined,
): Problem[] {
  const before = new Set(was?.targets.map(({ target }) => targetText(target)))
  const closed = plan.targets.filter((planned) => planned.closed).map(({ target }) => target)
  const isNew = (target: TargetId) => was !== undefined && !before.has(targetText(target))
  const problemsOf = (targets: readonly TargetId[], severity: Problem["severity"]) =>
    groups(targets, rules, context).map((group) => problemOf(group, severity, { plan, rules, context }))
  return [
    ...problemsOf(closed.filter(isNew), "error"),
    ...problemsOf(
      closed.filter((target) => !isNew(target)),
      "warning",
    ),
  ]
}

function groups(targets: readonly TargetId[], rules: RuleSet, context: PlanContext): ClosedNamespace[] {
  const wanted = new Set(targets.map(targetText))
  const found = new Map<string, ClosedNamespace>()
  for (const rule of allowedRules(rules, context)) {
    for (const target of targetsOf(rule, context)) {
      if (!wanted.delete(targetText(target))) continue
      const { cluster, namespace, name } = target
      const key = `${cluster}/${namespace}`
      const group = found.get(key) ?? { cluster, namespace, rule, names: [] }
      group.names.push(name)
      found.set(key, group)
    }
  }
  return [...found.values()]
}

function problemOf(
  { cluster, namespace, rule, names }: ClosedNamespace,
  severity: Problem["severity"],
  { plan, rules, context }: { plan: Plan; rules: RuleSet; context: PlanContext },
): Problem {
  const listed = namedText(names, MOST_NAMED)
  const named = plan.targets.filter(({ target }) => target.cluster === cluster)
  const line = namespacesLine([context.defaults.namespace, ...named.map(({ target }) => target.namespace)])
  const one = names.length === 1
  const closed = `cluster "${cluster}" has no "namespaces", so namespace "${namespace}" is closed to new ConfigMaps`
  return {
    severity,
    code: "plan/namespace-closed",
    message:
      severity === "error"
        ? `${closed}: ${listed} ${one ? "is" : "are"} not created`
        : `${closed}: ${listed} ${one ? "is written only where it exists" : "are written only where they exist"}`,
    hint: `Add to the cluster in the settings, if rules are to write there: ${line}.`,
    file: rules.file,
    line: rule.line,
    column: rule.column,
  }
}
