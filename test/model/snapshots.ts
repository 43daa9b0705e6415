import { inForceOf, setInForce } from "./in-force.ts"
import { SOURCES } from "./model-sources.ts"
import type { MonitoredCluster } from "./monitored-cluster.ts"
import type { Simulation } from "./simulation.ts"

export function saveBackup(simulation: Simulation, cluster: MonitoredCluster): void {
  if (cluster.etcd === undefined) return
  const inForce = SOURCES.map((source) => inForceOf(simulation, cluster.name, source))
  const [strange, terminating] = [new Set(cluster.strange), new Set(cluster.bad.terminating)]
  simulation.backups.set(cluster.name, { snapshot: cluster.etcd.save(), inForce, strange, terminating })
}

/**
 * The cluster goes back to its backup, records, targets and store alike. The API server is away meanwhile: runs that were
 * under way there have failed by the time it answers again.
 */
export function restoreBackup(simulation: Simulation, cluster: MonitoredCluster): boolean {
  const backup = simulation.backups.get(cluster.name)
  if (backup === undefined || cluster.etcd === undefined) return false
  for (const worker of simulation.workers) if (worker.cluster === cluster.name) worker.dead = true
  cluster.etcd.restore(backup.snapshot)
  becomes(cluster.strange, backup.strange)
  becomes(cluster.bad.terminating, backup.terminating)
  SOURCES.forEach((source, index) => {
    const was = backup.inForce[index]
    if (was) setInForce(simulation, cluster.name, source, { ...was, counted: [], unsure: true })
  })
  simulation.isDoubtful = true
  return true
}

function becomes(places: Set<string>, were: ReadonlySet<string>): void {
  places.clear()
  for (const place of were) places.add(place)
}
