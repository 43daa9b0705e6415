import type { RolloutReport } from "@headrace/shared/record/node-report"
import { isSameRevision, type RecordRevision } from "../assemble/followed-record.ts"
import type { ProjectionStatus } from "./projection-status.ts"

/** What the agent as a whole knows for the report of a rollout. */
export interface RolloutNode {
  labels: { [label: string]: string }
  /** Why this node never takes a candidate; null: it does. */
  keepsBaseline: string | null
  /** True when the record has a rollout under way, or what one has left. */
  isStaged: boolean
}

/** Of a node that no rollout concerns. */
export const NO_ROLLOUT: RolloutNode = { labels: {}, keepsBaseline: null, isStaged: false }

const MESSAGE_LENGTH = 300

/** What a node reports for a rollout; null: neither a rollout nor a check concerns it. Pure. */
export function rolloutReport(
  { labels, keepsBaseline, isStaged }: RolloutNode,
  projections: readonly ProjectionStatus[],
): RolloutReport | null {
  const followers = projections.filter(({ followsRecord }) => followsRecord)
  if (!isStaged && followers.every(({ health }) => health === undefined)) return null
  const shown = commonRevision(followers)
  return {
    labels,
    keepsBaseline,
    shown: shown ?? null,
    checks: shown === undefined ? "none" : checksOf(followers, shown),
    failed: failedOf(followers),
  }
}

/** What all of them show, undamaged; undefined: they differ, or one shows nothing of the record. */
function commonRevision(followers: readonly ProjectionStatus[]): RecordRevision | undefined {
  const [first, ...others] = followers
  if (first?.recordRevision === undefined || followers.some(({ damage }) => damage !== undefined))
    return undefined
  const isCommon = others.every((other) => isSameRevision(other.recordRevision, first.recordRevision))
  return isCommon ? first.recordRevision : undefined
}

/** Findings of another revision count as none yet. */
function checksOf(followers: readonly ProjectionStatus[], shown: RecordRevision): RolloutReport["checks"] {
  const states = followers.flatMap(({ health }) => health ?? [])
  if (states.length === 0) return "none"
  const verdicts = states.map(({ of, checks }) =>
    of.root !== null && isSameRevision({ token: of.token, root: of.root }, shown) ? checks : "pending",
  )
  if (verdicts.includes("failing")) return "failing"
  return verdicts.every((verdict) => verdict === "passing") ? "passing" : "pending"
}

function failedOf(followers: readonly ProjectionStatus[]): RolloutReport["failed"] {
  for (const { name, failedCandidate, health, recordRevision } of followers) {
    if (failedCandidate !== undefined) {
      const { token, root, code, message, since } = failedCandidate
      return { token, root, projection: name, code, message: message.slice(0, MESSAGE_LENGTH), since }
    }
    if (health?.problem === undefined || recordRevision === undefined || health.of.root === null) continue
    const { check, message, since } = health.problem
    const { token, root } = health.of
    const text = `${check}: ${message}`.slice(0, MESSAGE_LENGTH)
    return { token, root, projection: name, code: "projection/unhealthy", message: text, since }
  }
  return null
}
