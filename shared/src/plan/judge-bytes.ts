import type { Objection } from "./judge-place.ts"
import type { PlannedKey } from "./plan.ts"
import type { PlanBounds } from "./plan-context.ts"

const HINT = "Make it smaller, or raise the bound in the operator's settings."

/** What is too large in a target's keys for this program to read it; nothing of it has been read. */
export function judgeBytes(name: string, keys: readonly PlannedKey[], bounds: PlanBounds): Objection[] {
  let bytes = 0
  let largest: PlannedKey | undefined
  for (const planned of keys) {
    bytes += planned.file.size
    if (planned.file.size > (largest?.file.size ?? 0)) largest = planned
  }
  if (largest && largest.file.size > bounds.file) {
    const message = `${largest.file.path} of ConfigMap "${name}" has ${largest.file.size} bytes, and bounds.file is ${bounds.file}`
    return [{ code: "plan/file-too-large", message, hint: HINT }]
  }
  if (bytes <= bounds.target) return []
  const message = `the ${keys.length} files of ConfigMap "${name}" have ${bytes} bytes, and bounds.target is ${bounds.target}; the largest is ${largest?.file.path}`
  return [{ code: "plan/target-too-large", message, hint: HINT }]
}
