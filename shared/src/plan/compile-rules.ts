import { compareTargets, type TargetId, targetText } from "../foundation/target.ts"
import { isAllowed } from "../rules/access-list.ts"
import type { Rule, RuleSet } from "../rules/rule.ts"
import { indexRules, type RuleIndex } from "../rules/rule-index.ts"
import { judgePlace, type Objection } from "./judge-place.ts"
import { isLeftToOthers, type PlanContext, targetsOf } from "./plan-context.ts"

/** What rules give ConfigMaps of one name, at every place where the same rules give it. */
export interface Content {
  name: string
  /** In declared order. */
  givers: readonly Rule[]
}

/** A target and what it holds. */
export interface Claim {
  target: TargetId
  /** As `targetText`. */
  text: string
  content: Content
  /** What speaks against the place itself. */
  objection: Objection | undefined
}

/** Rules as a plan needs them: all of it that no tree changes. */
export interface CompiledRules {
  rules: RuleSet
  context: PlanContext
  index: RuleIndex
  contents: readonly Content[]
  /** In target order. */
  claims: readonly Claim[]
  /** The contents that take a rule's files of one partition. */
  fedBy(rule: Rule, name: string): readonly Content[]
}

/** Finds out which rules give which target, for one repository: rules that it may not feed do not exist for it. Pure. */
export function compileRules(rules: RuleSet, context: PlanContext): CompiledRules {
  const allowed = allowedRules(rules, context)
  const contents = new Map<string, Content>()
  const given = giversOfTargets(allowed, context)
  const named = Map.groupBy(
    given.map(({ target }) => target),
    ({ cluster }) => cluster,
  )
  const claims = given.map(({ target, givers }): Claim => {
    const id = [target.name, ...givers.map((rule) => allowed.indexOf(rule))].join("\n")
    const content = contents.get(id) ?? { name: target.name, givers }
    contents.set(id, content)
    const objection = judgePlace(target, context, named.get(target.cluster))
    return { target, text: targetText(target), content, objection }
  })
  const fed = contentsByRule([...contents.values()])
  return {
    rules,
    context,
    index: indexRules(allowed),
    contents: [...contents.values()],
    claims,
    fedBy: (rule, name) => fed.get(rule)?.get(name) ?? [],
  }
}

/** The rules that the repository may feed. */
export function allowedRules(rules: RuleSet, context: PlanContext): Rule[] {
  return rules.rules.filter((rule) => isAllowed(rule, context.repo))
}

function giversOfTargets(
  rules: readonly Rule[],
  context: PlanContext,
): { target: TargetId; givers: Rule[] }[] {
  const claimed = new Map<string, { target: TargetId; givers: Rule[] }>()
  for (const rule of rules) {
    for (const target of targetsOf(rule, context)) {
      if (isLeftToOthers(target.cluster, context)) continue
      const text = targetText(target)
      const known = claimed.get(text)
      if (!known) claimed.set(text, { target, givers: [rule] })
      else if (!known.givers.includes(rule)) known.givers.push(rule)
    }
  }
  return [...claimed.values()].sort((a, b) => compareTargets(a.target, b.target))
}

function contentsByRule(contents: readonly Content[]): Map<Rule, Map<string, Content[]>> {
  const fed = new Map<Rule, Map<string, Content[]>>()
  for (const content of contents) {
    for (const rule of content.givers) {
      const byName = fed.get(rule) ?? new Map<string, Content[]>()
      fed.set(rule, byName.set(content.name, [...(byName.get(content.name) ?? []), content]))
    }
  }
  return fed
}
