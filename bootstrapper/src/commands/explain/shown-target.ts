import { indexReader } from "@headrace/shared/reconcile/store/read-store"
import { findTarget } from "@headrace/shared/record/walk-index"
import type { Ask } from "@headrace/shared/status/answer"
import type { ClusterSourceFacts, FleetFacts } from "@headrace/shared/status/fleet-facts"
import type { Fleet } from "../../cli/open-fleet.ts"

interface Asked {
  fleet: Fleet
  ask: Ask
}

/** How many files of a target the record of a cluster shows; undefined: none is known to be shown. */
export async function shownFiles(
  target: string,
  { cluster, record }: ClusterSourceFacts,
  { fleet: { ports }, ask }: Asked,
): Promise<number | undefined> {
  const root = record.known ? (record.value?.root ?? null) : null
  const [namespace = "", name = "", ...rest] = target.split("/")
  if (root === null || name === "" || rest.length > 0) return undefined
  const found = await ask(`cluster ${cluster}`, async (signal) => {
    const store = { ...ports, kube: await ports.kube(cluster) }
    return findTarget(root, { namespace, name }, indexReader(store, ports.memory, signal))
  })
  return found.known ? found.value?.files : undefined
}

/** True when any record shows a target of this name, which the rules at the tip may name no more. */
export async function isRecorded(
  target: string,
  { facts, ...asked }: Asked & { facts: FleetFacts },
): Promise<boolean> {
  const files = await Promise.all(facts.clusterSources.map((place) => shownFiles(target, place, asked)))
  return files.some((count) => count !== undefined)
}
