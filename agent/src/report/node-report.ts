import { type NodeReport, REPORT_FORMAT, type ReportedProjection } from "@headrace/shared/record/node-report"
import type { Token } from "@headrace/shared/record/record"
import { compareTokens } from "@headrace/shared/record/token"
import type { ProjectionProblem, ProjectionStatus } from "./projection-status.ts"
import { NO_ROLLOUT, type RolloutNode, rolloutReport } from "./rollout-report.ts"

/** Projections in one report: a Lease is rewritten at every revision on every node, so it stays small. */
const REPORTED = 50
const MESSAGE_LENGTH = 300

/** What a node shows, from the statuses of its projections. Pure. */
export function nodeReport(
  node: string,
  record: string | undefined,
  projections: readonly ProjectionStatus[],
  rollout?: RolloutNode,
): NodeReport {
  const reported = projections.map((projection) => reportedProjection(projection, record))
  const byTrouble = [...reported.filter((each) => each.problem), ...reported.filter((each) => !each.problem)]
  return {
    format: REPORT_FORMAT,
    node,
    record: record ?? null,
    projections: byTrouble.slice(0, REPORTED),
    more: Math.max(0, byTrouble.length - REPORTED),
    lowest: lowestToken(reported.filter((_, at) => projections[at]?.ofRecord)),
    rollout: rolloutReport(rollout ?? NO_ROLLOUT, projections),
  }
}

function reportedProjection(projection: ProjectionStatus, record: string | undefined): ReportedProjection {
  const { name, path, shown } = projection
  const problem = projection.problem ?? healthProblem(projection)
  return {
    name,
    path,
    revision: shown?.id ?? null,
    token: isLive(projection, record) ? (shown?.token ?? null) : null,
    since: shown?.since ?? null,
    problem: problem ? { ...problem, message: problem.message.slice(0, MESSAGE_LENGTH) } : null,
  }
}

/** A check that fails, where nothing worse is wrong. */
function healthProblem({ health }: ProjectionStatus): ProjectionProblem | undefined {
  if (health?.problem === undefined) return undefined
  const { check, message, since } = health.problem
  return { code: "projection/unhealthy", message: `${check}: ${message}`, since }
}

/** What was shown of another source, or is damaged, counts as nothing of the record. */
function isLive({ ofRecord, shown, damage }: ProjectionStatus, record: string | undefined): boolean {
  const source = shown?.source
  const isOfRecord = source === undefined || `${source} `.startsWith(`record ${record} `)
  return ofRecord && damage === undefined && isOfRecord
}

function lowestToken(projections: readonly ReportedProjection[]): Token | null {
  let lowest: Token | null = null
  for (const { token } of projections) {
    if (token === null) return null
    if (lowest === null || compareTokens(token, lowest) < 0) lowest = token
  }
  return lowest
}
