import { revisionToShow } from "@headrace/agent/project/revision-to-show"
import { type Origin, raiseFloors } from "@headrace/agent/store/origin"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import { hasCode } from "@headrace/shared/foundation/errors"
import type { LeaseReader } from "@headrace/shared/kube/lease-api"
import { MOST_AHEAD_MS } from "@headrace/shared/reconcile/target/known-token"
import { REPORT_ANNOTATION } from "@headrace/shared/record/node-report"
import type { SourceRecord } from "@headrace/shared/record/record"
import { compareTokens, tokenText } from "@headrace/shared/record/token"
import type { Agent } from "./agent-state.ts"
import { OWN_NAMESPACE } from "./model-sources.ts"
import type { MonitoredCluster } from "./monitored-cluster.ts"
import { recordOf } from "./record-of.ts"
import type { Simulation } from "./simulation.ts"
import { Violation } from "./violation.ts"

/** The agent reads its record, or gets it from the past, and shows what it names unless it has shown something newer. */
export async function look(
  simulation: Simulation,
  agent: Agent,
  from: "now" | "past" = "now",
): Promise<"shown" | "refused" | "nothing"> {
  const { source } = agent.follows
  const cluster = clusterOf(simulation, agent)
  const read = from === "past" ? cluster.past(OWN_NAMESPACE, source) : undefined
  const configMap = read ?? (await cluster.direct.get(OWN_NAMESPACE, source))
  const record = configMap && recordOf(configMap)
  if (!configMap || !record?.commit) return "nothing"
  const origin = toShow(simulation, agent, configMap, record)
  simulation.tally.count(`agent: ${origin ? "shows" : "refuses"} what it reads`)
  if (origin === undefined) return "refused"
  refuseBackwards(agent, origin)
  agent.floors = raiseFloors(agent.floors, [origin])
  agent.shown = origin
  return "shown"
}

/** By the agent's own rules; undefined: it has shown something newer of this source. */
function toShow(
  { subject }: Simulation,
  { floors, shown }: Agent,
  { metadata }: ConfigMap,
  { commit, token, source, root }: SourceRecord,
): Origin | undefined {
  const instance = { id: metadata.uid ?? "", created: String(Reflect.get(metadata, "creationTimestamp")) }
  const name = { source: `record ${OWN_NAMESPACE}/${source}`, instance }
  const revision = { revision: commit ?? "", commit: { id: commit ?? "", token } }
  const part = { ...name, ...revision, history: name.source, key: root ?? "", files: [], used: new Map() }
  const folder = {
    floor: (one: Pick<Origin, "source" | "instance">) => subject.floorOf(floors, one).token,
    isStale: (one: Parameters<typeof subject.floorOf>[1]) => subject.floorOf(floors, one).isStale,
    current: () => undefined,
  }
  try {
    const { origins } = revisionToShow({ parts: [part] }, shown?.revision === commit, folder)
    return origins[0]
  } catch (error) {
    if (hasCode(error, "projection/older")) return undefined
    throw error
  }
}

function refuseBackwards({ shown }: Agent, next: Origin): void {
  if (shown?.instance?.id !== next.instance?.id || shown === undefined) return
  if (compareTokens(next.token, shown.token) >= 0) return
  throw new Violation(`2: a node went back from ${tokenText(shown.token)} to ${tokenText(next.token)}`)
}

/** Once quiet, a node shows what the record that it follows shows. */
export async function checkAgent(simulation: Simulation, agent: Agent): Promise<void> {
  const outcome = await look(simulation, agent)
  if (outcome !== "refused") return
  const { cluster, source } = agent.follows
  const configMap = await clusterOf(simulation, agent).direct.get(OWN_NAMESPACE, source)
  // A record that was put back and is stopped takes no epoch beyond before an operator has spoken.
  if (configMap && recordOf(configMap).stopped) return
  const floor = agent.floors.latest[0]?.token
  // Beyond a day ahead no writer believes it: only `rewind --epoch` goes further.
  if (floor && floor.epoch > simulation.now + MOST_AHEAD_MS) return
  throw new Violation(`8: a node that follows ${source} in ${cluster} refuses what its record shows`)
}

/** The Leases in which the agents of a cluster report what they show of its records. */
export function reportsOf(simulation: Simulation, cluster: MonitoredCluster): LeaseReader {
  return {
    async listLeases(namespace) {
      if (namespace !== OWN_NAMESPACE) return []
      return simulation.agents
        .filter(({ follows }) => follows.cluster === cluster.name)
        .map((agent, index) => ({
          namespace,
          name: `node-${index}`,
          annotations: { [REPORT_ANNOTATION]: JSON.stringify(reportOf(agent, `node-${index}`)) },
          holder: undefined,
          renewed: undefined,
          duration: 0,
        }))
    },
  }
}

function reportOf({ follows, shown }: Agent, node: string) {
  const record = `${OWN_NAMESPACE}/${follows.source}`
  const token = shown?.source === `record ${record}` ? shown.token : null
  const revision = shown?.revision ?? null
  const projections = [{ name: "model", path: "/model", revision, token, since: null, problem: null }]
  return { format: 1, node, record, projections, more: 0, lowest: token }
}

function clusterOf({ clusters }: Simulation, { follows }: Agent): MonitoredCluster {
  const found = clusters.find(({ name }) => name === follows.cluster)
  if (found === undefined) throw new Error("the model has no such cluster")
  return found
}
