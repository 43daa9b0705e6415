import { escapeLine, escapeText } from "@headrace/shared/foundation/escape-text"
import { targetText } from "@headrace/shared/foundation/target"
import type { Plan, PlannedKey } from "@headrace/shared/plan/plan"
import type { TouchedTarget } from "@headrace/shared/plan/touched-keys"

/** One target as `plan -o json` prints it. */
export interface ListedTarget {
  cluster: string
  namespace: string
  name: string
  keys: Record<string, ListedKey>
}

export interface ListedKey {
  /** Null: nothing gives this key any more. */
  file: string | null
  gzip: boolean
  /** Size of the file in the tree, before compression. */
  bytes: number
}

/** Every target whole, in target order. */
export function listPlan(plan: Plan): ListedTarget[] {
  return plan.targets.map(({ target, keys }) => ({
    ...target,
    keys: Object.fromEntries(keys.map((planned) => [planned.key, listKey(planned)])),
  }))
}

/** The touched keys of the touched targets. */
export function listTouched(touched: readonly TouchedTarget[]): ListedTarget[] {
  return touched.map(({ target, keys }) => ({
    ...target,
    keys: Object.fromEntries([...keys].map(([key, planned]) => [key, listKey(planned)])),
  }))
}

function listKey(planned: PlannedKey | undefined): ListedKey {
  if (!planned) return { file: null, gzip: false, bytes: 0 }
  return { file: planned.file.path, gzip: planned.gzip, bytes: planned.file.size }
}

/** For people: a heading per target, a line per key. */
export function planText(listed: readonly ListedTarget[]): string {
  return listed
    .map((target) => {
      const keys = Object.entries(target.keys)
      const width = Math.max(0, ...keys.map(([key]) => key.length))
      const lines = keys.map(([key, value]) => `  ${escapeText(key).padEnd(width)}  ${keyText(value)}\n`)
      return `${escapeLine(targetText(target))}\n${lines.join("") || "  (no keys)\n"}`
    })
    .join("\n")
}

function keyText({ file, gzip, bytes }: ListedKey): string {
  if (file === null) return "removed"
  return `${escapeText(file)}  ${bytes} bytes${gzip ? ", gzip" : ""}`
}
