import { isUtf8 } from "node:buffer"
import type { ConfigMap } from "../../foundation/config-map.ts"
import { contentId } from "../../foundation/content-id.ts"
import { HeadraceError } from "../../foundation/errors.ts"
import { gunzipped } from "../../foundation/gunzip.ts"
import { compareSorted } from "../../foundation/sorted-list.ts"
import { VERSION_KEY } from "../../plan/judge-keys.ts"
import type { PlannedKey, PlannedTarget } from "../../plan/plan.ts"
import { tokenText } from "../../record/token.ts"
import { contentDigest } from "../target/content-digest.ts"
import { readStamp, type Stamp, withStamp } from "../target/ownership.ts"

/** What a target's ConfigMap has that its plan has not, and the other way round. */
export interface ViewDifference {
  /** Planned keys that are absent or hold something else; their values are needed. */
  stale: PlannedKey[]
  /** Keys to take away. */
  surplus: string[]
}

/**
 * Compares a ConfigMap with its plan by uncompressed content, without reading a blob: git names contents by
 * their hash, so hashing what the ConfigMap has shows whether it is the planned file. Compressed bytes
 * are never compared, since they differ between builds of zlib.
 *
 * `owned` names the keys, of those that no rule names any more, that are ours to remove. VERSION is outside.
 */
export function compareView(
  existing: ConfigMap | undefined,
  planned: PlannedTarget,
  owned: (key: string) => boolean,
): ViewDifference {
  const wanted = new Set(planned.keys.map((key) => key.key))
  const present = Object.keys({ ...existing?.data, ...existing?.binaryData })
  return {
    stale: planned.keys.filter((key) => !holds(existing, key)),
    surplus: present.filter((key) => key !== VERSION_KEY && !wanted.has(key) && owned(key)),
  }
}

/** The same comparison where it is known that the ConfigMap holds exactly what `held` planned: no hashing. */
export function comparePlannedKeys(held: PlannedTarget, planned: PlannedTarget): ViewDifference {
  const differences = compareSorted(
    held.keys,
    planned.keys,
    ({ key }) => key,
    (was, is) => was.gzip === is.gzip && was.file.oid === is.file.oid,
  )
  const gone = differences.flatMap(({ before, after }) => (before && !after ? before.key : []))
  return {
    stale: differences.flatMap(({ after }) => after ?? []),
    surplus: gone.filter((key) => key !== VERSION_KEY),
  }
}

/**
 * The ConfigMap as Prow would write it: text in `data`, anything else base64 in `binaryData`, gzip where the
 * plan says so, VERSION the commit of the last change of content. Keys that are not stale keep their bytes.
 *
 * `values` are those of `difference.stale` (stale-values.ts), in that order.
 */
export function renderView(
  existing: ConfigMap | undefined,
  planned: PlannedTarget,
  difference: ViewDifference,
  values: readonly Buffer[],
  stamp: Stamp,
): ConfigMap {
  const data = new Map(Object.entries(existing?.data ?? {}))
  const binaryData = new Map(Object.entries(existing?.binaryData ?? {}))
  const lacking = !data.has(VERSION_KEY) && !binaryData.has(VERSION_KEY)
  if (isChanged(difference) || lacking) setKey(VERSION_KEY, Buffer.from(stamp.commit), data, binaryData)
  for (const key of difference.surplus) {
    data.delete(key)
    binaryData.delete(key)
  }
  difference.stale.forEach((key, index) => {
    setKey(key.key, values[index] ?? Buffer.alloc(0), data, binaryData)
  })
  const { namespace, name } = planned.target
  const content = { data: Object.fromEntries(data), binaryData: Object.fromEntries(binaryData) }
  const stamped = { ...stamp, content: contentDigest(content) }
  const metadata = withStamp(existing?.metadata ?? { namespace, name }, stamped)
  return readable({ ...existing, metadata, ...content }, stamped)
}

/** What no reader of ours could read is not written: the target would be without a token. */
function readable(next: ConfigMap, { token, commit }: Stamp): ConfigMap {
  if (readStamp(next) !== undefined) return next
  throw new HeadraceError(
    "reconcile/bad-stamp",
    `the stamp ${tokenText(token)} of commit ${commit} is none that Headrace reads`,
    { hint: "Check the clock that gave the epoch; delete the record to have it begun again." },
  )
}

/** True when the ConfigMap's planned content is not what it should be. */
export function isChanged(difference: ViewDifference): boolean {
  return difference.stale.length > 0 || difference.surplus.length > 0
}

function setKey(key: string, value: Buffer, data: Map<string, string>, binaryData: Map<string, string>) {
  data.delete(key)
  binaryData.delete(key)
  if (isUtf8(value)) data.set(key, value.toString("utf8"))
  else binaryData.set(key, value.toString("base64"))
}

function holds(existing: ConfigMap | undefined, planned: PlannedKey): boolean {
  const value = contentOf(existing, planned)
  return (
    value !== undefined &&
    value.length === planned.file.size &&
    contentId(value, planned.file.oid) === planned.file.oid
  )
}

/** The uncompressed value, when it is where Prow would put it. */
function contentOf(existing: ConfigMap | undefined, planned: PlannedKey): Buffer | undefined {
  const text = valueAt(existing?.data, planned.key)
  if (text !== undefined) return planned.gzip ? undefined : Buffer.from(text, "utf8")
  const base64 = valueAt(existing?.binaryData, planned.key)
  if (base64 === undefined) return undefined
  const bytes = Buffer.from(base64, "base64")
  if (planned.gzip) return gunzipped(bytes, planned.file.size + 1)
  return isUtf8(bytes) ? undefined : bytes
}

/** A file may be called `constructor`: what every object inherits is no value. */
function valueAt(values: { [key: string]: string } | undefined, key: string): string | undefined {
  return values && Object.hasOwn(values, key) ? values[key] : undefined
}
