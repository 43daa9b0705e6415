import type { ConfigMap } from "../../foundation/config-map.ts"
import { HeadraceError } from "../../foundation/errors.ts"
import { placeText } from "../run/cluster-plan.ts"
import { contentDigest } from "../target/content-digest.ts"
import { isMarked, ownerOfStamp } from "../target/ownership.ts"

/** As many keys as a message names. */
const MOST_NAMED = 3

/**
 * Compares what the API server keeps of a ConfigMap with what was sent, by digest: a mutating admission webhook changes
 * it on the way. Throws `reconcile/changed-on-write` with the keys, or the marks, that are others.
 * https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#mutating-admission-controllers
 */
export function refuseChanged(sent: ConfigMap, kept: ConfigMap): void {
  const isSame = contentDigest(sent) === contentDigest(kept)
  if (isSame && isMarked(kept, ownerOfStamp(sent))) return
  const what = isSame ? "Headrace's labels and annotations" : keysText(changedKeys(sent, kept))
  throw new HeadraceError(
    "reconcile/changed-on-write",
    `the API server changed ${what} of ConfigMap ${placeText(sent.metadata)} as it was written`,
    { hint: "Exempt this ConfigMap from the mutating admission webhook that changes it." },
  )
}

function changedKeys(sent: ConfigMap, kept: ConfigMap): string[] {
  const [before, after] = [sent, kept].map(
    ({ data, binaryData }) => new Map([...Object.entries(data ?? {}), ...Object.entries(binaryData ?? {})]),
  )
  const keys = new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])])
  return [...keys].filter((key) => before?.get(key) !== after?.get(key)).sort()
}

function keysText(keys: readonly string[]): string {
  const named = keys.slice(0, MOST_NAMED).join(", ")
  return keys.length > MOST_NAMED
    ? `${named} and ${keys.length - MOST_NAMED} more keys`
    : `the content of ${named}`
}
