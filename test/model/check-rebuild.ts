import { UNUSED_SINCE } from "@headrace/shared/reconcile/store/read-store"
import { unmarked } from "@headrace/shared/reconcile/write/store-objects"
import type { Write } from "./monitored-cluster.ts"
import type { Simulation } from "./simulation.ts"
import { Violation } from "./violation.ts"

/**
 * A rebuild of an unchanged tree writes nothing. The first one may take off marks: a collection that was woken
 * late puts them on what it had listed as unused, though a record names it by now.
 */
export async function checkRebuild(simulation: Simulation, rebuild: () => Promise<void>): Promise<void> {
  for (const mayUnmark of [true, false]) {
    const counts = simulation.clusters.map(({ writes }) => writes.length)
    await rebuild()
    for (const [index, { writes }] of simulation.clusters.entries()) {
      for (const write of writes.slice(counts[index])) {
        if (!mayUnmark || !takesMarkOff(write)) throw surplus(write)
        simulation.tally.count("rebuild: takes a late mark off")
      }
    }
  }
}

function takesMarkOff({ before, after }: Write): boolean {
  if (before?.metadata.annotations?.[UNUSED_SINCE] === undefined || after === undefined) return false
  const { resourceVersion: _, ...metadata } = unmarked(before).metadata
  const { resourceVersion: __, ...now } = after.metadata
  return JSON.stringify(metadata) === JSON.stringify(now)
}

function surplus({ before, after }: Write): Violation {
  const { namespace, name } = (after ?? before)?.metadata ?? { namespace: "", name: "" }
  return new Violation(`a rebuild of an unchanged tree wrote ${namespace}/${name}`)
}
