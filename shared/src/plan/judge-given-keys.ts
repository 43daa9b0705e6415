import type { Rule } from "../rules/rule.ts"
import { judgeKeys, VERSION_KEY } from "./judge-keys.ts"
import type { Objection } from "./judge-place.ts"
import { type KeyCollision, mergeKeys } from "./merge-keys.ts"
import type { PlannedKey } from "./plan.ts"

/** The keys of a ConfigMap, with what speaks against them. */
export interface JudgedKeys {
  keys: PlannedKey[]
  view: boolean
  errors: Objection[]
  warnings: Objection[]
}

/** Merges and judges what rules give a ConfigMap of this name. */
export function judgeGivenKeys(
  name: string,
  givers: readonly Rule[],
  given: readonly (readonly PlannedKey[])[],
  strict: boolean,
): JudgedKeys {
  const view = givers.every((rule) => rule.view)
  const errors: Objection[] = []
  const warnings: Objection[] = []
  if (!view && givers.some((rule) => rule.view)) errors.push(dividedView(name, givers))
  const { keys, collisions } = mergeKeys(given)
  for (const collision of collisions) (strict ? errors : warnings).push(collisionOf(name, collision))
  const version = view ? keys.find(({ key }) => key === VERSION_KEY) : undefined
  if (version) warnings.push(reservedKey(name, version))
  const kept = version ? keys.filter((planned) => planned !== version) : keys
  errors.push(...judgeKeys(name, kept, view))
  return { keys: kept, view, errors, warnings }
}

function dividedView(name: string, givers: readonly Rule[]): Objection {
  const without = givers.filter((rule) => !rule.view).map((rule) => JSON.stringify(rule.glob))
  return {
    code: "plan/divided-view",
    message: `rules disagree on whether ConfigMap "${name}" is written: "view: false" is set in ${without.join(", ")} only`,
    hint: "Give all rules of this ConfigMap the same.",
  }
}

function collisionOf(name: string, { key, paths }: KeyCollision): Objection {
  return {
    code: "plan/key-collision",
    message: `several files give key "${key}" of ConfigMap "${name}": ${paths.join(", ")}; the last is written`,
    hint: 'Set "use_full_path_as_key: true", or rename one of them.',
    collision: { key, paths },
  }
}

/** Prow lets the file win over the commit id, and its own readers then take the file for a commit. */
function reservedKey(name: string, { file }: PlannedKey): Objection {
  return {
    code: "plan/reserved-key",
    message: `${file.path} would be key "${VERSION_KEY}" of ConfigMap "${name}", which holds the commit id; it is not written`,
    hint: 'Rename the file, narrow the glob, or give the rule a "key".',
  }
}
