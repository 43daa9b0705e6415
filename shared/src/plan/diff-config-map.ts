import { compareText } from "../foundation/canonical-json.ts"
import { type ConfigMap, configMapBytes } from "../foundation/config-map.ts"
import { gunzipped } from "../foundation/gunzip.ts"
import { VERSION_KEY } from "./judge-keys.ts"

/** What a key should hold. */
export interface WantedKey {
  key: string
  /** Uncompressed. */
  content: Buffer
  gzip: boolean
}

/** One key that is not as the rules want it. */
export interface KeyDifference {
  key: string
  /** `foreign`: no rule names it, and it stays. */
  kind: "added" | "changed" | "removed" | "foreign"
  /** Contents, uncompressed; absent where there is none. */
  before?: Buffer
  after?: Buffer
  /** The content is equal, but it is compressed and should not be, or the other way round. */
  encoding?: "compress" | "decompress"
}

/** More than any ConfigMap's value comes to, and little enough to hold. */
const GUNZIP_LIMIT = 256 * 1024 * 1024

/**
 * Compares a ConfigMap, whatever program wrote it, with what the rules want, by uncompressed content: compressed bytes
 * differ between Go's zlib and ours. `owned` returns which keys that no rule names will be removed; the others
 * stay. VERSION is left out.
 */
export function diffConfigMap(
  existing: ConfigMap | undefined,
  wanted: readonly WantedKey[],
  owned: (key: string) => boolean,
): KeyDifference[] {
  const present = existing ? configMapBytes(existing) : new Map<string, Buffer>()
  const named = new Set(wanted.map(({ key }) => key))
  const unnamed = [...present]
    .filter(([key]) => key !== VERSION_KEY && !named.has(key))
    .map(([key, value]): KeyDifference => {
      const kind = owned(key) ? "removed" : "foreign"
      return { key, kind, before: gunzipped(value, GUNZIP_LIMIT) ?? value }
    })
  const differing = wanted.flatMap((one) => diffKey(present.get(one.key), one))
  return [...differing, ...unnamed].sort((a, b) => compareText(a.key, b.key))
}

function diffKey(value: Buffer | undefined, { key, content, gzip }: WantedKey): KeyDifference[] {
  if (value === undefined) return [{ key, kind: "added", after: content }]
  const plain = gunzipped(value, GUNZIP_LIMIT)
  if (gzip) {
    if (plain?.equals(content)) return []
    const encoding = value.equals(content) ? ({ encoding: "compress" } as const) : {}
    return [{ key, kind: "changed", before: plain ?? value, after: content, ...encoding }]
  }
  if (value.equals(content)) return []
  const encoding = plain?.equals(content) ? ({ encoding: "decompress" } as const) : {}
  return [{ key, kind: "changed", before: plain ?? value, after: content, ...encoding }]
}
