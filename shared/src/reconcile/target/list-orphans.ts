import type { ObjectMeta } from "../../foundation/config-map.ts"
import type { ConfigMapWriter } from "../../kube/config-map-api.ts"
import { placeText } from "../run/cluster-plan.ts"
import { PROW_SELECTOR, readStamp, SOURCE_LABEL } from "./ownership.ts"

/** The ConfigMaps that carry a source's label in these namespaces (`""`: all) and are not among the named ones. */
export async function listOrphans(
  kube: Pick<ConfigMapWriter, "listMetadata">,
  { source, namespaces }: { source: string; namespaces: readonly string[] },
  named: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<ObjectMeta[]> {
  const labelled = await listUnnamed(kube, namespaces, `${SOURCE_LABEL}=${source}`, named, signal)
  // `adopt` sets the label and no stamp: what we never wrote is not ours to remove.
  return labelled.filter((metadata) => readStamp({ metadata })?.source === source)
}

/** The ConfigMaps that Prow wrote in these namespaces, that no source has taken over and nothing names: its own orphans (B7). */
export async function listProwOrphans(
  kube: Pick<ConfigMapWriter, "listMetadata">,
  namespaces: readonly string[],
  named: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<ObjectMeta[]> {
  return listUnnamed(kube, namespaces, PROW_SELECTOR, named, signal)
}

async function listUnnamed(
  kube: Pick<ConfigMapWriter, "listMetadata">,
  namespaces: readonly string[],
  labelSelector: string,
  named: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<ObjectMeta[]> {
  const lists = await Promise.all(
    namespaces.map((namespace) => kube.listMetadata(namespace, { labelSelector }, signal)),
  )
  return lists.flat().filter((metadata) => !named.has(placeText(metadata)))
}
