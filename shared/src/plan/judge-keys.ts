import { CONFIG_MAP_LIMIT_BYTES } from "../foundation/config-map.ts"
import type { Objection } from "./judge-place.ts"
import { illegalKey } from "./legal-name.ts"
import type { PlannedKey } from "./plan.ts"

/** The key under which Prow, and we, note the commit in every ConfigMap of the view. */
export const VERSION_KEY = "VERSION"
/** A commit id in hex, the value of VERSION: it counts towards the limit too. */
export const VERSION_BYTES = 40
const NAMED_KEYS = 3

/** What Kubernetes would refuse in a target's keys: illegal ones, or more than fits. */
export function judgeKeys(name: string, keys: readonly PlannedKey[], view: boolean): Objection[] {
  const objections: Objection[] = keys.flatMap(({ key, file }) => {
    const wrong = illegalKey(key)
    if (!wrong) return []
    const message = `Kubernetes refuses the key ${JSON.stringify(key)} of ConfigMap "${name}" from ${file.path}: ${wrong}`
    return [{ code: "plan/illegal-key", message, hint: 'Rename the file, or give the rule a "key".' }]
  })
  if (!view) return objections
  const size = plainBytes(keys)
  if (size > CONFIG_MAP_LIMIT_BYTES) objections.push(tooLarge(name, keys, size))
  return objections
}

/** Bytes that the values will have at least: what is not compressed, and VERSION. Compressed sizes come with the content. */
export function plainBytes(keys: readonly PlannedKey[]): number {
  let size = VERSION_BYTES
  for (const { file, gzip } of keys) if (!gzip) size += file.size
  return size
}

function tooLarge(name: string, keys: readonly PlannedKey[], size: number): Objection {
  const largest = keys
    .filter(({ gzip }) => !gzip)
    .sort((a, b) => b.file.size - a.file.size)
    .slice(0, NAMED_KEYS)
    .map(({ key, file }) => `${key} (${file.size})`)
  return {
    code: "plan/too-large",
    message: `ConfigMap "${name}" would hold ${size} bytes, ${size - CONFIG_MAP_LIMIT_BYTES} more than the ${CONFIG_MAP_LIMIT_BYTES} that fit a ConfigMap; largest keys: ${largest.join(", ")}`,
    hint: 'Set "gzip: true", spread it over "partitioned_names", or set "view: false" for agents alone.',
  }
}
