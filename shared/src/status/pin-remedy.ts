import type { NodeReport, ReportedProjection } from "../record/node-report.ts"
import type { Finding } from "./fleet-status.ts"
import { suggestOnNode } from "./suggest-command.ts"

/** What agents report of a projection that an operator's pin or rollback keeps where it is. */
export const PINNED = "publish/pinned"

/** What ends a pin of one projection; undefined: none keeps it. Pure. */
export function pinRemedy(
  node: string,
  { path, problem }: Pick<ReportedProjection, "path" | "problem">,
): Pick<Finding, "advice" | "command"> | undefined {
  if (problem?.code !== PINNED) return undefined
  const advice = `An operator keeps it there. To end that, type this in the agent's container on ${node}.`
  return { advice, command: suggestOnNode(["unpin", path]) }
}

/** The same of the first projection of a node that is pinned. */
export function pinRemedyOfNode(
  node: string,
  report: NodeReport | undefined,
): Pick<Finding, "advice" | "command"> | undefined {
  return report?.projections.map((each) => pinRemedy(node, each)).find((remedy) => remedy !== undefined)
}
