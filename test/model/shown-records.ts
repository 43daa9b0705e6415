import type { SourceRecord } from "@headrace/shared/record/record"
import { OWN_NAMESPACE, SOURCES, type Source } from "./model-sources.ts"
import { recordOf } from "./record-of.ts"
import type { Simulation } from "./simulation.ts"

/** Every record that there is, by cluster and source. */
export async function records(
  simulation: Simulation,
): Promise<Map<string, { source: Source; record: SourceRecord }>> {
  const found = new Map<string, { source: Source; record: SourceRecord }>()
  for (const cluster of simulation.clusters) {
    for (const source of SOURCES) {
      const configMap = await cluster.direct.get(OWN_NAMESPACE, source)
      if (configMap) found.set(`${cluster.name} ${source}`, { source, record: recordOf(configMap) })
    }
  }
  return found
}
