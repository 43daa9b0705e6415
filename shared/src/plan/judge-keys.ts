import { CONFIG_MAP_LIMIT_BYTES } from "../foundation/config-map.ts"
import type { Objection } from "./judge-place.ts"
import { illegalKey } from "./legal-name.ts"
import type { PlannedKey } from "./plan.ts"

/** The key under which Prow, and we, note the commit in every ConfigMap of the view. */
export const VERSION_KEY = "VERSION"
/** A commit id in hex, the value of VERSION: it counts towards the limit too. */
export const VERSION_BYTES = 40
const NAMED_KEYS = 3

/** Says of keys that Kubernetes refuses why it does. */
export function illegalKeys(name: string, keys: readonly PlannedKey[]): Objection[] {
  return keys.map(({ key, file }) => ({
    code: "plan/illegal-key",
    message: `Kubernetes refuses the key ${JSON.stringify(key)} of ConfigMap "${name}" from ${file.path}: ${illegalKey(key)}`,
    hint: 'Rename the file, or give the rule a "key".',
  }))
}

/** Says of a ConfigMap that it would hold `size` bytes at least: what is not compressed. Compressed sizes come with the content. */
export function tooLarge(name: string, keys: readonly PlannedKey[], size: number): Objection {
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
