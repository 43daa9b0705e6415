import type { ConfigMap } from "../foundation/config-map.ts"
import { HeadraceError } from "../foundation/errors.ts"
import type { ConfigMapWriter } from "../kube/config-map-api.ts"
import { withOwner, withoutStamp } from "./ownership.ts"
import { isLostRace } from "./record-state.ts"

const TRIES = 12

type Place = { namespace: string; name: string }

/**
 * Lets a source take an existing ConfigMap over, whoever made it: its labels are set and another source's
 * stamp is taken off. Its content stays until the next reconcile. Throws `adopt/absent`.
 */
export async function adoptTarget(
  kube: ConfigMapWriter,
  source: string,
  target: Place,
  signal: AbortSignal,
): Promise<void> {
  await changeMetadata(kube, target, (metadata) => withOwner(metadata, source), signal)
}

/** Takes everything of Headrace's off a ConfigMap; Prow's labels stay, so that Prow takes it over again. */
export async function detachTarget(kube: ConfigMapWriter, target: Place, signal: AbortSignal): Promise<void> {
  await changeMetadata(kube, target, withoutStamp, signal)
}

async function changeMetadata(
  kube: ConfigMapWriter,
  target: Place,
  change: (metadata: ConfigMap["metadata"]) => ConfigMap["metadata"],
  signal: AbortSignal,
): Promise<void> {
  const place = `${target.namespace}/${target.name}`
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const existing = await kube.get(target.namespace, target.name, signal)
    if (existing === undefined) throw new HeadraceError("adopt/absent", `there is no ConfigMap ${place}`)
    try {
      await kube.replace({ ...existing, metadata: change(existing.metadata) }, signal)
      return
    } catch (error) {
      if (!isLostRace(error)) throw error
    }
  }
  throw new HeadraceError("adopt/contended", `ConfigMap ${place} kept changing`, { hint: "Try again." })
}
