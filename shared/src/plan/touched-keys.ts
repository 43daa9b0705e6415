import { compareText } from "../foundation/canonical-json.ts"
import { foldersOf } from "../foundation/folders-of.ts"
import { type TargetId, targetText } from "../foundation/target.ts"
import type { RuleSet } from "../rules/rule.ts"
import { indexRules } from "../rules/rule-index.ts"
import { targetsOfFile } from "./broken-files.ts"
import { allowedRules } from "./compile-rules.ts"
import { VERSION_KEY } from "./judge-keys.ts"
import { illegalKey } from "./legal-name.ts"
import type { Plan, PlannedKey } from "./plan.ts"
import type { PlanContext } from "./plan-context.ts"
import { keyOf } from "./target-key.ts"

/** The keys of one target that a change touches, with what the plan gives them: undefined when nothing does any more. */
export interface TouchedTarget {
  target: TargetId
  keys: ReadonlyMap<string, PlannedKey | undefined>
}

/**
 * Which keys changed paths touch, under the rules as they are now, and what each holds in the end. The value
 * always comes from the whole plan, never from the order of the changes: a key that another file still
 * gives keeps that file, and a renamed file's old key is looked for in the target that it belonged to (B5, B6).
 */
export function touchedKeys(
  rules: RuleSet,
  plan: Plan,
  paths: readonly string[],
  context: PlanContext,
): TouchedTarget[] {
  const index = indexRules(allowedRules(rules, context))
  const touched = new Map<string, Set<string>>()
  for (const path of new Set([...paths, ...shownThroughLinks(plan, paths)])) {
    const rule = index.first(path)
    if (!rule) continue
    const key = keyOf(rule, path)
    for (const target of targetsOfFile(rule, path, context)) {
      const keys = touched.get(targetText(target)) ?? new Set()
      touched.set(targetText(target), keys.add(key))
    }
  }
  return plan.targets.flatMap(({ target, keys }) => {
    const names = touched.get(targetText(target))
    if (!names) return []
    const planned = new Map(keys.map((each) => [each.key, each]))
    const sorted = [...names].sort(compareText).filter((key) => planned.has(key) || couldBeHeld(key))
    return [{ target, keys: new Map(sorted.map((key) => [key, planned.get(key)])) }]
  })
}

/** The planned files that show a changed path's content through a symbolic link, or through a link that was changed. */
function shownThroughLinks(plan: Plan, paths: readonly string[]): string[] {
  const changed = new Set(paths)
  const linked = plan.targets.flatMap(({ keys }) => keys.flatMap(({ file }) => (file.real ? [file] : [])))
  return linked
    .filter(
      ({ path, real = "" }) => changed.has(real) || foldersOf(path).some((folder) => changed.has(folder)),
    )
    .map(({ path }) => path)
}

/** A key that no plan can ever have given needs no removal. */
function couldBeHeld(key: string): boolean {
  return key !== VERSION_KEY && illegalKey(key) === undefined
}
