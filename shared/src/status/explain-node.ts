import type { Lease } from "../kube/lease-api.ts"
import { isSilent, readReport } from "../record/report-of-lease.ts"
import { timeAndAge } from "./age-text.ts"
import { rolloutSteps } from "./explain-node-rollout.ts"
import { type Explanation, explanation, type PlaceExplanation } from "./explanation.ts"
import { finding } from "./finding.ts"
import type { FleetFacts } from "./fleet-facts.ts"
import type { FleetStatus } from "./fleet-status.ts"
import { PUT_BACK } from "./judge-nodes.ts"
import { remedyOfBehind } from "./node-findings.ts"
import { remedyOnNode } from "./node-remedy.ts"
import { remedyOfCode } from "./remedy-of-code.ts"
import { shortCommit } from "./short-commit.ts"
import { type CommandContext, suggestNodePods } from "./suggest-command.ts"

/** A Lease of a node, and the cluster that has it. */
export interface NodeLease {
  cluster: string
  lease: Lease
}

/** The Leases of a node in every cluster; a node's name is its report's, or its Lease's holder. */
export function leasesOfNode({ clusterSources }: FleetFacts, node: string): NodeLease[] {
  const found = new Map<string, NodeLease>()
  for (const { cluster, leases } of clusterSources) {
    for (const lease of leases.known ? (leases.value ?? []) : []) {
      if ((readReport(lease)?.node ?? lease.holder ?? lease.name) !== node) continue
      found.set(`${cluster} ${lease.namespace}/${lease.name}`, { cluster, lease })
    }
  }
  return [...found.values()]
}

/** Says what a node shows of each projection, and why it is not what its record shows. Pure. */
export function explainNode(
  status: FleetStatus,
  node: string,
  leases: readonly NodeLease[],
  context: CommandContext,
): Explanation {
  const places = leases.flatMap((one) => placesOf(status, node, one, context))
  const bad = places.find(({ level }) => level !== "well")
  return explanation({
    kind: "node",
    name: node,
    at: status.at,
    answer: bad ? `${bad.place}: ${bad.text}` : "it shows what its record shows",
    steps: leases.flatMap(({ cluster, lease }) => {
      const report = readReport(lease)
      return [leaseStep(status.at, cluster, lease), ...(report ? rolloutSteps(report) : [])]
    }),
    places,
  })
}

function leaseStep(at: string, cluster: string, lease: Lease): Explanation["steps"][number] {
  const { renewed, namespace, name } = lease
  const time = renewed === undefined ? "never" : timeAndAge(new Date(renewed).toISOString(), at)
  const level = isSilent(lease, Date.parse(at)) ? "trouble" : "well"
  return { what: "report", level, text: `Lease ${namespace}/${name} in ${cluster}, last renewed ${time}` }
}

function placesOf(
  status: FleetStatus,
  node: string,
  { cluster, lease }: NodeLease,
  context: CommandContext,
): PlaceExplanation[] {
  const report = readReport(lease)
  const place = report?.record ? `record ${report.record} in ${cluster}` : cluster
  if (isSilent(lease, Date.parse(status.at))) {
    const advice = "Its agent is stopped or cut off; delete its Lease when the node is gone for good."
    const command = suggestNodePods(context, node)
    const silent = finding("trouble", "silent", "what it shows now is not known", {
      subject: node,
      advice,
      command,
    })
    return [{ place, level: "trouble", text: "it has ceased to report", findings: [silent] }]
  }
  if (report === undefined) {
    return [
      { place, level: "trouble", text: "its report cannot be read: it is of another version", findings: [] },
    ]
  }
  const source = status.clusterSources.find(
    (one) => one.cluster === cluster && report.record?.endsWith(`/${one.source}`),
  )
  const behind = source?.nodes?.behind.find((one) => one.node === node)
  const now = Date.parse(status.at)
  const back =
    source && behind?.code === PUT_BACK
      ? remedyOfBehind(behind, source, { leases: [lease], context, now })
      : undefined
  const projections = report.projections.map((each): PlaceExplanation => {
    const { name, path, revision, problem, since } = each
    const text = `shows ${shortCommit(revision)}${since === null ? "" : ` since ${timeAndAge(since, status.at)}`}`
    if (problem === null) return { place: `${name} at ${path}`, level: "well", text, findings: [] }
    const more = { code: problem.code, since: problem.since, detail: problem.message, subject: node }
    const pods = { advice: remedyOfCode(problem.code), command: suggestNodePods(context, node) }
    const remedy = remedyOnNode(node, each) ?? (problem.code === PUT_BACK ? back : undefined) ?? pods
    const why = finding("trouble", "node", "it waits", { ...more, ...remedy })
    return { place: `${name} at ${path}`, level: "trouble", text, findings: [why] }
  })
  if (behind === undefined || projections.some(({ level }) => level === "trouble")) return projections
  const wanted = `the record shows ${shortCommit(source?.commit)}`
  const text = `${behind.problem ?? `it shows ${shortCommit(behind.shows)}`}; ${wanted}`
  const wayOut =
    back && finding("trouble", "node", "it refuses that", { code: PUT_BACK, subject: node, ...back })
  return [
    { place, level: behind.problem === null ? "notice" : "trouble", text, findings: wayOut ? [wayOut] : [] },
    ...projections,
  ]
}
