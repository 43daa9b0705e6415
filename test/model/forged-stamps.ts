import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import { readStamp } from "@headrace/shared/reconcile/target/ownership"
import type { MonitoredCluster } from "./monitored-cluster.ts"
import type { Simulation } from "./simulation.ts"

/** What a stranger with edit rights on one ConfigMap may make of its stamp. */
export const FORGERIES = [
  "an epoch far ahead",
  "an epoch that nothing reads",
  "a commit that is no id",
  "a commit that does not exist",
  "a count that is not the commit's",
  "another source",
  "all but the epoch right",
] as const
type Forgery = (typeof FORGERIES)[number]

const HOURS_AHEAD = 5 * 3_600_000

/** A stranger changes the stamp of a target, where it has one. */
export async function forgeStamp(
  simulation: Simulation,
  cluster: MonitoredCluster,
  place: string,
  forgery: Forgery,
): Promise<void> {
  const [namespace = "", name = ""] = place.split("/")
  const existing = await cluster.direct.get(namespace, name)
  const stamp = existing && readStamp(existing)
  if (existing === undefined || stamp === undefined) return
  const ahead = String(simulation.now + HOURS_AHEAD)
  const changes: { [name in Forgery]: { [part: string]: string } } = {
    "an epoch far ahead": { epoch: "900000000000000" },
    "an epoch that nothing reads": { epoch: "1e15" },
    "a commit that is no id": { commit: "x" },
    "a commit that does not exist": { epoch: ahead, commit: "f".repeat(40) },
    "a count that is not the commit's": { epoch: ahead, seq: String(stamp.token.seq + 7) },
    "another source": { source: "stranger" },
    "all but the epoch right": { epoch: ahead },
  }
  simulation.tally.count(`stranger: forges ${forgery}`)
  simulation.isDoubtful = true
  cluster.strange.add(place)
  // It is right in every other part: such a stamp is believed, and costs an epoch (docs/decisions/036).
  if (forgery === "all but the epoch right") simulation.latest = Math.max(simulation.latest, Number(ahead))
  await cluster.direct.replace(withParts(existing, changes[forgery]))
}

function withParts(configMap: ConfigMap, parts: { [part: string]: string }): ConfigMap {
  const changed = Object.entries(parts).map(([part, value]) => [`headrace.dev/${part}`, value])
  const annotations = { ...configMap.metadata.annotations, ...Object.fromEntries(changed) }
  return { ...configMap, metadata: { ...configMap.metadata, annotations } }
}
