import { type Admission, isBadPlace } from "./bad-places.ts"
import { FORGERIES, forgeStamp } from "./forged-stamps.ts"
import { finish, startWorker } from "./gates.ts"
import { look } from "./model-agents.ts"
import { CLUSTERS, NAMESPACES } from "./model-rules.ts"
import { OWN_NAMESPACE, type Source } from "./model-sources.ts"
import type { MonitoredCluster } from "./monitored-cluster.ts"
import { markAsOthers } from "./others-marks.ts"
import { type Program, restart } from "./programs.ts"
import { changeSettings } from "./settings-changes.ts"
import type { Simulation } from "./simulation.ts"
import { restoreBackup, saveBackup } from "./snapshots.ts"
import { watchRecord } from "./start-workers.ts"
import type { WorldOp } from "./world-op.ts"

const TARGETS = ["ci/alpha", "ops/beta", "ci/tools", "ops/many-0"]
const HOUR_MS = 3_600_000

/** Does one op of the world outside: what programs, clusters, clocks, settings and strangers do. */
export async function playWorld(simulation: Simulation, op: WorldOp): Promise<void> {
  const { tally } = simulation
  switch (op.op) {
    case "restart":
      tally.count("program: restarted")
      return restart(programAt(simulation, op.program), simulation.settings.current)
    case "reload":
      programAt(simulation, op.program).settings = simulation.settings.current
      return
    case "settings":
      return changeSettings(simulation, op, programAt(simulation, op.program))
    case "clock":
      tally.count(`clock: ${op.hours} hours ahead`)
      programAt(simulation, op.program).ahead = op.hours * HOUR_MS
      return
    case "gitFault":
      simulation.nextGitFault = op.read
      return
    case "place":
      return changePlace(simulation, clusterAt(simulation, op.cluster), op.namespace, op.what)
    case "terminate":
      return terminate(simulation, clusterAt(simulation, op.cluster), targetAt(op.target))
    case "mark":
      tally.count("others: put owners and a finalizer on a target")
      return markAsOthers(clusterAt(simulation, op.cluster), targetAt(op.target))
    case "forge":
      return forgeStamp(
        simulation,
        clusterAt(simulation, op.cluster),
        targetAt(op.target),
        FORGERIES[op.forgery % FORGERIES.length] ?? FORGERIES[0],
      )
    case "save":
      return saveBackup(simulation, clusterAt(simulation, op.cluster))
    case "restore":
      if (restoreBackup(simulation, clusterAt(simulation, op.cluster))) tally.count("cluster: restored")
      return
    case "watch":
      return watch(simulation, op)
    case "loseKey":
      return loseKey(simulation, clusterAt(simulation, op.cluster), op)
    case "agent":
      await look(simulation, agentAt(simulation, op.agent), op.past ? "past" : "now")
      return
    case "follow": {
      const cluster = CLUSTERS[op.cluster % CLUSTERS.length] ?? CLUSTERS[0]
      agentAt(simulation, op.agent).follows = { cluster, source: sourceAt(op.tools) }
      tally.count("agent: follows another record")
      return
    }
  }
}

/** What was being deleted is gone, and every place takes what it is given again. */
export async function endBadPlaces({ clusters }: Simulation): Promise<void> {
  for (const { bad, direct } of clusters) {
    for (const place of bad.terminating) {
      const [namespace = "", name = ""] = place.split("/")
      const existing = await direct.get(namespace, name)
      if (existing) await direct.remove(existing)
    }
    for (const places of [bad.terminating, bad.forbidden, bad.full, bad.admission]) places.clear()
  }
}

function changePlace(
  { tally }: Simulation,
  { bad }: MonitoredCluster,
  choice: number,
  what: Admission | "forbidden" | "full" | "well",
): void {
  const namespace = NAMESPACES[choice % NAMESPACES.length] ?? NAMESPACES[0]
  for (const places of [bad.forbidden, bad.full, bad.admission]) places.delete(namespace)
  tally.count(`namespace: ${what}`)
  if (what === "forbidden") bad.wereForbidden.add(namespace)
  if (what === "forbidden" || what === "full") bad[what].add(namespace)
  else if (what !== "well") bad.admission.set(namespace, what)
}

async function terminate(simulation: Simulation, cluster: MonitoredCluster, place: string): Promise<void> {
  const [namespace = "", name = ""] = place.split("/")
  const existing = await cluster.direct.get(namespace, name)
  if (isBadPlace(cluster.bad, place) || existing === undefined) return
  // As the real server does, this makes a new version of it.
  const annotations = { ...existing.metadata.annotations, "example.com/deleted-at": String(simulation.now) }
  await cluster.direct.replace({ ...existing, metadata: { ...existing.metadata, annotations } })
  simulation.tally.count("others: delete a target, which waits for its finalizer")
  cluster.bad.terminating.add(place)
}

/** A program reads a record as its watchdog does, and brings it in order when it was put back. */
async function watch(
  simulation: Simulation,
  op: { cluster: number; tools: boolean; program: number },
): Promise<void> {
  const cluster = clusterAt(simulation, op.cluster)
  const [source, program] = [sourceAt(op.tools), programAt(simulation, op.program)]
  const worker = startWorker("reconcile", cluster.name, (self) =>
    watchRecord(simulation, cluster, source, program, self),
  )
  await finish(worker)
}

/** One key of a lane in Redis is gone: a wake-up that waits in it, or all that wait for the cluster. */
function loseKey(
  simulation: Simulation,
  cluster: MonitoredCluster,
  { tools, key }: { tools: boolean; key: "wake-up" | "queue" },
): void {
  const source = sourceAt(tools)
  const before = simulation.deliveries.length
  simulation.deliveries = simulation.deliveries.filter(
    (one) => one.cluster !== cluster || (key === "wake-up" && one.source !== source),
  )
  if (simulation.deliveries.length < before) simulation.tally.count(`redis: the key of a ${key} is lost`)
}

export function programAt({ programs }: Simulation, choice: number): Program {
  return given(programs[choice % programs.length])
}

function agentAt({ agents }: Simulation, choice: number) {
  return given(agents[choice % agents.length])
}

function clusterAt({ clusters }: Simulation, choice: number): MonitoredCluster {
  return given(clusters[choice % clusters.length])
}

function targetAt(choice: number): string {
  return given(TARGETS[choice % TARGETS.length])
}

function sourceAt(tools: boolean): Source {
  return tools ? "tools" : "release"
}

function given<Thing>(thing: Thing | undefined): Thing {
  if (thing === undefined) throw new Error(`the model has none in ${OWN_NAMESPACE}`)
  return thing
}
