import type { NodeReport } from "../record/node-report.ts"
import { reportsNow } from "../record/report-of-lease.ts"
import { finding } from "./finding.ts"
import type { ClusterSourceFacts, FleetFacts } from "./fleet-facts.ts"
import type { Finding } from "./fleet-status.ts"
import type { JudgedFacts, Surroundings } from "./judged-facts.ts"
import { earliest, namesOf } from "./node-findings.ts"
import { remedyOnNode } from "./node-remedy.ts"
import { remedyOfCode } from "./remedy-of-code.ts"
import { type CommandContext, suggestCommand } from "./suggest-command.ts"

/** A check of what is shown fails; it has a finding of its own. */
const UNHEALTHY = "projection/unhealthy"

/**
 * What keeps a projection of a node from what other origins offer, though the node shows the record's revision: a git
 * branch that the agent's own guard stops, say. Nodes with the same reason are one finding.
 */
export function projectionFindings(
  { nodes, rollout }: JudgedFacts,
  { leases, recordName }: ClusterSourceFacts,
  { now, context }: Surroundings,
): Finding[] {
  if (nodes === null || !leases.known) return []
  const named = new Set([...nodes.behind, ...(rollout?.waitsFor ?? [])].map(({ node }) => node))
  const reports = reportsNow(leases.value ?? [], now)
  return waitingFindings(
    reports.filter(({ record, node }) => record === recordName && !named.has(node)),
    context,
  )
}

/**
 * The same of nodes that follow no record: agents whose sources are all git, live objects or folders. They belong to no
 * source, so each cluster's are said once.
 */
export function unrecordedFindings(
  { clusterSources, at }: Pick<FleetFacts, "clusterSources" | "at">,
  context: CommandContext,
): Finding[] {
  const byCluster = Map.groupBy(clusterSources, ({ cluster }) => cluster)
  return [...byCluster].flatMap(([cluster, sources]) => {
    const leases = sources.flatMap(({ leases }) => (leases.known ? (leases.value ?? []) : []))
    const once = new Map(leases.map((lease) => [`${lease.namespace}/${lease.name}`, lease]))
    const reports = reportsNow([...once.values()], at).filter(({ record }) => record === null)
    return waitingFindings(reports, context, ` in ${cluster}`)
  })
}

function waitingFindings(reports: readonly NodeReport[], context: CommandContext, where = ""): Finding[] {
  const waiting = reports.flatMap(({ node, projections }) =>
    projections.flatMap((each) => {
      const { name, problem } = each
      if (problem === null || problem.code === UNHEALTHY) return []
      return [{ node, name, problem, since: problem.since, remedy: remedyOnNode(node, each) }]
    }),
  )
  const alike = Map.groupBy(waiting, ({ name, problem }) => `${name} ${problem.code} ${problem.message}`)
  return [...alike.values()].flatMap((found) => {
    const [first] = found
    if (first === undefined) return []
    const { node, name, problem, remedy } = first
    return [
      finding("trouble", "node", `${namesOf(found)}${where}: ${name} waits`, {
        code: problem.code,
        subject: node,
        since: earliest(found),
        detail: problem.message,
        advice: remedyOfCode(problem.code),
        command: suggestCommand(context, ["explain", node]),
        ...remedy,
      }),
    ]
  })
}

/** What checks find wrong on nodes that a rollout does not name already: those with one reason are one finding. */
export function unhealthyFindings({ nodes, rollout }: JudgedFacts, { context }: Surroundings): Finding[] {
  const inRollout = new Set(rollout?.waitsFor.map(({ node }) => node))
  const unhealthy = (nodes?.unhealthy ?? []).filter(({ node }) => !inRollout.has(node))
  const alike = Map.groupBy(unhealthy, ({ problem }) => problem)
  return [...alike].map(([problem, found]) => {
    const node = found[0]?.node ?? ""
    return finding("trouble", "node", `${namesOf(found)}: a check of what is shown fails`, {
      code: UNHEALTHY,
      subject: node,
      since: earliest(found),
      detail: problem,
      advice: remedyOfCode(UNHEALTHY),
      command: suggestCommand(context, ["explain", node]),
    })
  })
}
