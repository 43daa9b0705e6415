import { isLate, type LaneAge, readLaneAges } from "@headrace/shared/lanes/lane-ages"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import type { Readiness } from "@headrace/shared/observe/ops-routes"

/** `handing-over`: another plugin in this process is about to take over, with changed settings. */
export type PluginState = "running" | "handing-over" | "leaving"

export interface ReadinessPorts {
  lanes: Lanes
  workers: { idle(): string[] }
  clusters: readonly string[]
  sources: readonly string[]
  state: PluginState
}

/**
 * Ready when a webhook would be taken and worked: Redis answers, every lane has its worker. A lane that has
 * not succeeded for long is reported but does not count: taking the webhook away would hold back the others.
 */
export async function readPluginReadiness(ports: ReadinessPorts): Promise<Readiness> {
  if (ports.state === "leaving") return { ready: false, reasons: ["stopping"] }
  const trouble = ports.lanes.trouble()
  if (trouble) return { ready: false, reasons: [trouble.message] }
  // Webhooks are accepted meanwhile; the next worker processes them.
  if (ports.state === "handing-over") return { ready: true, reasons: ["settings changed: starting over"] }
  const idle = ports.workers.idle()
  if (idle.length > 0)
    return { ready: false, reasons: idle.map((cluster) => `no worker runs for ${cluster}`) }
  try {
    const ages = await readLaneAges(ports.lanes, ports.clusters, ports.sources)
    const late = ages.filter((age) => isLate(age, Date.now()))
    return { ready: true, reasons: late.map(lateness) }
  } catch {
    return { ready: false, reasons: ["Redis does not answer"] }
  }
}

function lateness({ cluster, source, lastSuccess }: LaneAge): string {
  if (lastSuccess === undefined) return `late: ${source} has not yet succeeded in ${cluster}`
  return `late: ${source} last succeeded in ${cluster} at ${new Date(lastSuccess).toISOString()}`
}
