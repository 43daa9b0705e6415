import { CONFIG_MAP_LIMIT_BYTES } from "../foundation/config-map.ts"
import { findSorted } from "../foundation/sorted-list.ts"
import type { Rule } from "../rules/rule.ts"
import type { Content } from "./compile-rules.ts"
import { type ContestedKey, type GivenKeys, keyOf } from "./given-keys.ts"
import { judgeBytes } from "./judge-bytes.ts"
import { illegalKeys, tooLarge, VERSION_BYTES, VERSION_KEY } from "./judge-keys.ts"
import type { Objection } from "./judge-place.ts"
import type { PlannedKey } from "./plan.ts"
import type { PlanBounds } from "./plan-context.ts"

/** The keys of a ConfigMap, with what speaks against them. */
export interface JudgedContent {
  keys: readonly PlannedKey[]
  view: boolean
  errors: readonly Objection[]
  warnings: readonly Objection[]
}

/** What the operator's settings say of contents. */
export interface JudgeLimits {
  strict: boolean
  bounds: PlanBounds
}

/** Judges what rules give a content. */
export function judgeContent(
  { name, givers }: Content,
  given: GivenKeys,
  limits: JudgeLimits,
): JudgedContent {
  const view = givers.every((rule) => rule.view)
  const errors: Objection[] = []
  const warnings: Objection[] = []
  if (!view && givers.some((rule) => rule.view)) errors.push(dividedView(name, givers))
  for (const contested of given.contested)
    (limits.strict ? errors : warnings).push(collisionOf(name, contested))
  const version = view ? findSorted(given.keys, keyOf, VERSION_KEY) : undefined
  if (version) warnings.push(reservedKey(name, version))
  const keys = version ? given.keys.filter((planned) => planned !== version) : given.keys
  errors.push(...illegalKeys(name, given.illegal))
  const bytes = VERSION_BYTES + given.plainBytes - (version && !version.gzip ? version.file.size : 0)
  if (view && bytes > CONFIG_MAP_LIMIT_BYTES) errors.push(tooLarge(name, keys, bytes))
  errors.push(...judgeBytes(name, keys, limits.bounds))
  return { keys, view, errors, warnings }
}

function dividedView(name: string, givers: readonly Rule[]): Objection {
  const without = givers.filter((rule) => !rule.view).map((rule) => JSON.stringify(rule.glob))
  return {
    code: "plan/divided-view",
    message: `rules disagree on whether ConfigMap "${name}" is written: "view: false" is set in ${without.join(", ")} only`,
    hint: "Give all rules of this ConfigMap the same.",
  }
}

function collisionOf(name: string, { key, claims }: ContestedKey): Objection {
  const paths = claims.map(({ file }) => file.path)
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
