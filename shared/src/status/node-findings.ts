import { namedText } from "../foundation/named-text.ts"
import type { Lease } from "../kube/lease-api.ts"
import type { NodeReport } from "../record/node-report.ts"
import type { Token } from "../record/record.ts"
import { readReport } from "../record/report-of-lease.ts"
import { compareTokens } from "../record/token.ts"
import { finding } from "./finding.ts"
import type { ClusterSourceFacts } from "./fleet-facts.ts"
import type { Finding, NodeCount } from "./fleet-status.ts"
import { PUT_BACK } from "./judge-nodes.ts"
import type { JudgedFacts, Surroundings } from "./judged-facts.ts"
import { type Remedy, remedyInReport, remedyOfPutBack } from "./node-remedy.ts"
import { remedyOfCode } from "./remedy-of-code.ts"
import { shortCommit } from "./short-commit.ts"
import { suggestCommand, suggestNodePods } from "./suggest-command.ts"

/** Nodes that are named in one sentence; the JSON output lists all. */
const NAMED = 5
/** A node gets this long after its record's commit was made before being behind without a reason is trouble. */
const ROLLOUT_MS = 120_000

type Behind = NodeCount["behind"][number]

/** What is wrong with nodes. Those with the same reason are one finding, so that a thousand do not hide the rest. */
export function nodeFindings(
  judged: JudgedFacts,
  { leases }: ClusterSourceFacts,
  surroundings: Surroundings,
): Finding[] {
  if (judged.state === "unreachable") return []
  if (!leases.known) {
    const { code, message, hint } = leases.problem
    const advice = hint ?? remedyOfCode(code)
    return [
      finding("trouble", "nodes-unknown", "what nodes show is not known", { code, detail: message, advice }),
    ]
  }
  if (judged.nodes === null) {
    return [
      finding("notice", "nodes-unknown", "what nodes show is not known", {
        detail: "may not list Leases",
        advice: "Give this account the verb list on leases of coordination.k8s.io, as config/base does.",
      }),
    ]
  }
  return [
    ...behindFindings(judged.nodes, judged, { ...surroundings, leases: leases.value ?? [] }),
    ...silentFindings(judged.nodes, surroundings),
  ]
}

type NodeSurroundings = Surroundings & { leases: readonly Lease[] }

function behindFindings(
  { behind }: NodeCount,
  judged: JudgedFacts,
  surroundings: NodeSurroundings,
): Finding[] {
  const alike = Map.groupBy(behind, ({ problem, shows }) => `${shows} ${problem}`)
  return [...alike.values()].map((nodes) => behindFinding(nodes, judged, surroundings))
}

function behindFinding(
  nodes: readonly Behind[],
  judged: JudgedFacts,
  surroundings: NodeSurroundings,
): Finding {
  const [first] = nodes
  const node = first?.node ?? ""
  const isTrouble = first?.problem != null || isRolloutOver(judged, surroundings)
  const verb = nodes.length === 1 ? "shows" : "show"
  const text = `${namesOf(nodes)} ${verb} ${shortCommit(first?.shows)}`
  return finding(isTrouble ? "trouble" : "notice", "node", text, {
    code: first?.code ?? null,
    subject: node,
    since: earliest(nodes),
    detail: first?.problem ?? null,
    ...(isTrouble && first
      ? remedyOfBehind(first, judged, surroundings)
      : { advice: "Wait: it has just been published.", command: null }),
  })
}

/** What brings a node to what its record shows. */
export function remedyOfBehind(
  { node, code }: Behind,
  judged: Pick<JudgedFacts, "cluster" | "source" | "commit" | "token">,
  { leases, context, now }: Pick<NodeSurroundings, "leases" | "context" | "now">,
): Remedy {
  const reports = leases.flatMap((lease) => readReport(lease) ?? []).filter((report) => report.node === node)
  const ahead = code === PUT_BACK ? largestShown(reports) : undefined
  if (ahead && judged.token && compareTokens(ahead, judged.token) > 0)
    return remedyOfPutBack(ahead, judged, { context, now })
  const remedies = reports.map((report) => (code === null ? undefined : remedyInReport(report, code)))
  const other = { advice: remedyOfCode(code), command: suggestCommand(context, ["explain", node]) }
  return remedies.find((remedy) => remedy !== undefined) ?? other
}

function largestShown(reports: readonly NodeReport[]): Token | undefined {
  const tokens = reports.flatMap(({ projections }) => projections.flatMap(({ token }) => token ?? []))
  return tokens.sort(compareTokens).at(-1)
}

/** True when the record's commit is old enough for every node to have it; also when its age is not known. */
function isRolloutOver({ commit }: JudgedFacts, { branch, now }: Surroundings): boolean {
  const committed = commit === null ? undefined : branch?.commits.get(commit)?.committed
  return committed === undefined || now - committed > ROLLOUT_MS
}

function silentFindings({ silent }: NodeCount, { context }: Surroundings): Finding[] {
  const [first] = silent
  if (first === undefined) return []
  return [
    finding("trouble", "silent", `${namesOf(silent)}: no report`, {
      subject: first.node,
      since: earliest(silent),
      advice: "Its agent is stopped or cut off; delete its Lease when the node is gone for good.",
      command: suggestNodePods(context, first.node),
    }),
  ]
}

/** The first nodes of a list by name, and how many more there are. */
export function namesOf(nodes: readonly { node: string }[]): string {
  return namedText(
    nodes.map(({ node }) => node),
    NAMED,
  )
}

/** The earliest of the times at which something began; null: none is known. */
export function earliest(nodes: readonly { since: string | null }[]): string | null {
  const times = nodes.flatMap(({ since }) => (since === null ? [] : [since]))
  return times.sort()[0] ?? null
}
