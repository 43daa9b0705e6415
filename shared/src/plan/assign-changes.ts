import type { Difference } from "../foundation/sorted-list.ts"
import type { TreeFile } from "../foundation/tree.ts"
import type { CompiledRules, Content } from "./compile-rules.ts"
import type { PlannedKey } from "./plan.ts"
import { keyOf, nameOf } from "./target-key.ts"

type Change = Difference<TreeFile>

interface Edits {
  removed: PlannedKey[]
  added: PlannedKey[]
}

/** What changed files do to each content: a file belongs to the first rule that matches it, a key to one partition. */
export function assignChanges(rules: CompiledRules, changes: readonly Change[]): Map<Content, Edits> {
  const edits = new Map<Content, Edits>()
  for (const change of changes) {
    const { contents, removed, added } = keysOf(rules, change)
    for (const content of contents) {
      const known = edits.get(content) ?? { removed: [], added: [] }
      if (removed) known.removed.push(removed)
      if (added) known.added.push(added)
      edits.set(content, known)
    }
  }
  return edits
}

interface ChangedKey {
  contents: readonly Content[]
  removed?: PlannedKey | undefined
  added?: PlannedKey | undefined
}

function keysOf(rules: CompiledRules, { before, after }: Change): ChangedKey {
  const path = (after ?? before)?.path ?? ""
  const rule = rules.index.first(path)
  if (rule === undefined) return { contents: [] }
  const key = keyOf(rule, path)
  const { gzip } = rule
  return {
    contents: rules.fedBy(rule, nameOf(rule, key)),
    removed: before && { key, file: before, gzip },
    added: after && { key, file: after, gzip },
  }
}
