import { targetText } from "../foundation/target.ts"
import type { TreeFile } from "../foundation/tree.ts"
import type { Plan, PlannedTarget } from "../plan/plan.ts"
import type { FileChange } from "./changed-files.ts"

/**
 * The changed files, each with what its readers had before: a file that is new under its path, but takes a key of a ConfigMap
 * that another file gave, is compared with that one. Without plans nothing is known of keys
 * (docs/decisions/124). Pure.
 */
export function withMovedFiles(
  changed: readonly FileChange[],
  plans: { before: Plan; after: Plan } | undefined,
): readonly FileChange[] {
  if (plans === undefined || changed.every(({ before }) => before !== undefined)) return changed
  const held = new Map(plans.before.targets.map((planned) => [targetText(planned.target), planned]))
  const moved = new Map<string, TreeFile>()
  for (const planned of plans.after.targets) {
    const was = held.get(targetText(planned.target))
    if (was && was.keys !== planned.keys) addMoved(was, planned, moved)
  }
  return changed.map((one) => ({ before: one.before ?? moved.get(one.after.path), after: one.after }))
}

function addMoved(was: PlannedTarget, planned: PlannedTarget, moved: Map<string, TreeFile>): void {
  const files = new Map(was.keys.map(({ key, file }) => [key, file]))
  for (const { key, file } of planned.keys) {
    const before = files.get(key)
    if (before && before.path !== file.path) moved.set(file.path, before)
  }
}
