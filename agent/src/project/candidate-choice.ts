import { escapeText } from "@headrace/shared/foundation/escape-text"
import type { SourceRecord } from "@headrace/shared/record/record"
import { takesCandidate } from "@headrace/shared/record/takes-candidate"
import type { AgentSettings } from "@headrace/shared/settings/agent-settings"
import type { ProjectionStatus } from "../report/projection-status.ts"
import { givenNodeName } from "../report/report-node.ts"

export interface CandidateNode {
  settings: Pick<AgentSettings, "report">
  /** True when it can report: it has a connection to do it. */
  canReport: boolean
  /** True for a run that ends once everything is shown. */
  once: boolean
  projections(): readonly ProjectionStatus[]
}

/**
 * Why this node never takes a candidate; null: it does. A stage ends only on what nodes report of the candidate, and by
 * the name that they were chosen by, so only an agent that stays and reports under a name of its own takes one. Pure.
 */
export function keepsBaseline({ settings, canReport, once, projections }: CandidateNode): string | null {
  if (once) return "it runs once"
  if (settings.report === undefined || !canReport) return "it does not report"
  if (givenNodeName(settings) === undefined)
    return "it has no node name: set report.node or HEADRACE_NODE_NAME"
  const pinned = projections().find((projection) => projection.pinned !== undefined)
  return pinned === undefined
    ? null
    : `projection ${pinned.name} is pinned: ${escapeText(pinned.pinned ?? "")}`
}

/** True when this node takes the candidate of a record. Pure. */
export function isChosen(node: CandidateNode, { source, candidate }: SourceRecord): boolean {
  if (candidate === null || keepsBaseline(node) !== null) return false
  const name = givenNodeName(node.settings)
  const { labels = {} } = node.settings.report ?? {}
  return name !== undefined && takesCandidate({ source, node: name, labels }, candidate)
}

/** True when a record has a rollout under way, or what one has left. */
export function isStaged({ candidate, previous, rejected }: SourceRecord): boolean {
  return candidate !== null || previous !== null || rejected !== null
}
