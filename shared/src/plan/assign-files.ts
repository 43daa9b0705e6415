import type { TreeFile } from "../foundation/tree.ts"
import type { Rule } from "../rules/rule.ts"
import type { RuleIndex } from "../rules/rule-index.ts"
import type { PlannedKey } from "./plan.ts"
import { keyOf, nameOf } from "./target-key.ts"

/** What each rule takes of a tree: by rule, then by name of the ConfigMap. */
export type Assignment = Map<Rule, Map<string, PlannedKey[]>>

/** Gives every file to the one rule that it belongs to, and every key to its partition. */
export function assignFiles(index: RuleIndex, files: readonly TreeFile[]): Assignment {
  const assignment: Assignment = new Map()
  for (const file of files) {
    const rule = index.first(file.path)
    if (!rule) continue
    const key = keyOf(rule, file.path)
    const name = nameOf(rule, key)
    const byName = assignment.get(rule) ?? new Map<string, PlannedKey[]>()
    if (byName.size === 0) assignment.set(rule, byName)
    const planned = { key, file, gzip: rule.gzip }
    const others = byName.get(name)
    if (others) others.push(planned)
    else byName.set(name, [planned])
  }
  return assignment
}
