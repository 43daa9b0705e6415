import type { Clock } from "../../foundation/clock.ts"
import type { ConfigMap } from "../../foundation/config-map.ts"
import { HeadraceError } from "../../foundation/errors.ts"
import { compareAndSwap } from "../../kube/compare-and-swap.ts"
import type { ConfigMapWriter } from "../../kube/config-map-api.ts"
import { isRecordConfigMap } from "../../record/record-config-map.ts"
import { placeText } from "../run/cluster-plan.ts"
import { rootOf, withoutRootMarks } from "../store/last-roots.ts"
import { STORE_SELECTOR } from "../store/read-store.ts"
import { SOURCE_LABEL, withOwner, withoutStamp } from "../target/ownership.ts"

type NamespacedName = { namespace: string; name: string }

/** What these commands are handed: the cluster, and the clock that waits between lost races. */
export interface AdoptPorts {
  kube: ConfigMapWriter
  clock: Clock
}

/**
 * Lets a source take an existing ConfigMap over, whatever program made it: its labels are set and another source's
 * stamp is taken off. Its content stays until the next reconcile. Throws `adopt/absent`, `adopt/terminating`.
 */
export async function adoptTarget(
  ports: AdoptPorts,
  source: string,
  target: NamespacedName,
  signal: AbortSignal,
): Promise<void> {
  const found = await changeMetadata(
    ports,
    target,
    (configMap) => withOwner(refuseTerminating(configMap), source),
    signal,
  )
  const place = placeText(target)
  if (!found) throw new HeadraceError("adopt/absent", `there is no ConfigMap ${place}`)
}

function refuseTerminating(configMap: ConfigMap): ConfigMap {
  const { metadata } = configMap
  if (metadata.deletionTimestamp === undefined) return configMap
  throw new HeadraceError("adopt/terminating", `ConfigMap ${placeText(metadata)} is being deleted`, {
    hint: "Wait until it is gone, or remove what its finalizers wait for.",
  })
}

/** Takes everything of Headrace's off a ConfigMap; Prow's labels stay, so that Prow takes it over again. */
async function detachTarget(ports: AdoptPorts, target: NamespacedName, signal: AbortSignal): Promise<void> {
  await changeMetadata(ports, target, ({ metadata }) => withoutStamp(metadata), signal)
}

/**
 * Takes a source's marks off every ConfigMap that carries them in these namespaces (`""`: all), and off the roots of its
 * store, then removes its record. Gives `namespace/name` of each ConfigMap. The store is left to garbage collection, which
 * keeps marked roots of a source without a record. Throws `record/invalid` where something else has the record's name.
 */
export async function detachSource(
  ports: AdoptPorts,
  place: { namespace: string; source: string; namespaces: readonly string[] },
  signal: AbortSignal,
): Promise<string[]> {
  const labelSelector = `${SOURCE_LABEL}=${place.source}`
  const detached: string[] = []
  for (const namespace of place.namespaces) {
    for (const metadata of await ports.kube.listMetadata(namespace, { labelSelector }, signal)) {
      await detachTarget(ports, metadata, signal)
      detached.push(placeText(metadata))
    }
  }
  await unmarkRoots(ports, place, signal)
  await removeRecord(ports, place, signal)
  return detached
}

/** While the record names them they stay, marked or not. */
async function unmarkRoots(
  ports: AdoptPorts,
  { namespace, source }: { namespace: string; source: string },
  signal: AbortSignal,
): Promise<void> {
  for (const metadata of await ports.kube.listMetadata(
    namespace,
    { labelSelector: STORE_SELECTOR },
    signal,
  )) {
    if (rootOf(metadata.annotations) !== source) continue
    await changeMetadata(ports, metadata, (root) => withoutRootMarks(root.metadata), signal)
  }
}

async function removeRecord(
  { kube, clock }: AdoptPorts,
  { namespace, source }: { namespace: string; source: string },
  signal: AbortSignal,
): Promise<void> {
  async function attempt(): Promise<true> {
    const record = await kube.get(namespace, source, signal)
    if (record === undefined) return true
    // Its name is an operator's word, and others keep ConfigMaps beside ours.
    if (!isRecordConfigMap(record)) {
      throw new HeadraceError("record/invalid", `ConfigMap ${namespace}/${source} is not a record, and stays`)
    }
    await kube.remove(record, signal)
    return true
  }
  await compareAndSwap(clock, signal, attempt, (cause) => {
    return new HeadraceError("record/contended", `the record of ${source} kept changing`, {
      hint: "Take the source out of the settings of what still follows it, and try again.",
      cause,
    })
  })
}

/** False when there is no such ConfigMap. */
async function changeMetadata(
  { kube, clock }: AdoptPorts,
  target: NamespacedName,
  change: (existing: ConfigMap) => ConfigMap["metadata"],
  signal: AbortSignal,
): Promise<boolean> {
  async function attempt(): Promise<boolean> {
    const existing = await kube.get(target.namespace, target.name, signal)
    if (existing === undefined) return false
    await kube.replace({ ...existing, metadata: change(existing) }, signal)
    return true
  }
  return compareAndSwap(clock, signal, attempt, (cause) => {
    return new HeadraceError("adopt/contended", `ConfigMap ${placeText(target)} kept changing`, {
      hint: "Try again.",
      cause,
    })
  })
}
