import type { ConfigMap } from "../../foundation/config-map.ts"
import type { ConfigMapWriter } from "../../kube/config-map-api.ts"
import type { ForeignWrite } from "../../record/record.ts"
import { type ClusterPlan, placeText } from "../run/cluster-plan.ts"
import { contentDigest } from "../target/content-digest.ts"
import { readStamp, type Stamp } from "../target/ownership.ts"
import { compareView } from "./render-view.ts"

/** Longer names are cut: a record is small. */
const MOST_CHARACTERS = 60

/**
 * True when another program has changed a target's content since we stamped it. Prow does, as long as its updateconfig
 * plugin or its bootstrapper runs: they read, change data and VERSION, and write back with our marks still on.
 *
 * Under `foreignKeys: keep` others may have keys of their own there, so that only what the rules gave the target
 * counts. `planOf` gives the plan at a stamp; undefined: it is no longer known, and nothing is reported.
 */
export async function isAltered(
  existing: ConfigMap,
  foreignKeys: "remove" | "keep",
  planOf: (stamp: Stamp) => Promise<ClusterPlan | undefined>,
): Promise<boolean> {
  const stamp = readStamp(existing)
  if (stamp?.content === undefined || stamp.content === contentDigest(existing)) return false
  if (foreignKeys === "remove") return true
  const planned = (await planOf(stamp))?.targets.get(placeText(existing.metadata))
  return planned !== undefined && compareView(existing, planned, () => false).stale.length > 0
}

/** Names who altered a target. Call it before the repair: afterwards nothing of that writer may be left. */
export async function foreignWrite(
  kube: ConfigMapWriter,
  { metadata }: ConfigMap,
  now: number,
  signal: AbortSignal,
): Promise<ForeignWrite> {
  const writer = (await kube.otherWriter(metadata.namespace, metadata.name, signal)) ?? "unknown"
  return {
    target: placeText(metadata),
    writer: writer.slice(0, MOST_CHARACTERS),
    at: new Date(now).toISOString(),
  }
}
