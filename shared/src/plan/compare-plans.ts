import { compareText } from "../foundation/canonical-json.ts"
import { compareTargets, type TargetId, targetText } from "../foundation/target.ts"
import type { Plan, PlannedKey } from "./plan.ts"

/** What a change does to one target. */
export interface TargetChange {
  target: TargetId
  /** Keys, sorted. */
  added: string[]
  changed: string[]
  removed: string[]
}

/** What becomes of each target between two plans; targets that stay as they are, are left out. */
export function comparePlans(before: Plan, after: Plan): TargetChange[] {
  const old = byTarget(before)
  const now = byTarget(after)
  const targets = [...before.targets, ...after.targets].map(({ target }) => target).sort(compareTargets)
  const unique = new Map(targets.map((target) => [targetText(target), target]))
  return [...unique].flatMap(([text, target]) => {
    const change = compareKeys(target, old.get(text) ?? new Map(), now.get(text) ?? new Map())
    return change.added.length + change.changed.length + change.removed.length > 0 ? [change] : []
  })
}

type Keys = ReadonlyMap<string, PlannedKey>

function byTarget(plan: Plan): Map<string, Keys> {
  return new Map(
    plan.targets.map(({ target, keys }) => [
      targetText(target),
      new Map(keys.map((planned) => [planned.key, planned])),
    ]),
  )
}

function compareKeys(target: TargetId, before: Keys, after: Keys): TargetChange {
  const changed = [...after.values()].filter((planned) => {
    const old = before.get(planned.key)
    return old && (old.file.oid !== planned.file.oid || old.gzip !== planned.gzip)
  })
  return {
    target,
    added: [...after.keys()].filter((key) => !before.has(key)).sort(compareText),
    changed: changed.map(({ key }) => key).sort(compareText),
    removed: [...before.keys()].filter((key) => !after.has(key)).sort(compareText),
  }
}
