import type { Lanes } from "./open-lanes.ts"
import { LANES_FORMAT, type WakeUp } from "./wake-up.ts"

/** Wakes every cluster's lane for each of these sources. Throws the first failure, after all were tried. */
export async function wakeLanes(
  lanes: Lanes,
  clusters: readonly string[],
  sources: readonly string[],
  why: Pick<WakeUp, "mode" | "reason">,
): Promise<void> {
  const wakes = sources.flatMap((source) =>
    clusters.map((cluster) => lanes.wake(cluster, { format: LANES_FORMAT, source, ...why })),
  )
  const failed = (await Promise.allSettled(wakes)).find((wake) => wake.status === "rejected")
  if (failed) throw failed.reason
}
