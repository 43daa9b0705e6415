import type { Lease } from "@headrace/shared/kube/lease-api"
import { NodeReport, REPORT_ANNOTATION, type ReportedProjection } from "@headrace/shared/record/node-report"
import type { Token } from "@headrace/shared/record/record"
import { compareTokens } from "@headrace/shared/record/token"

/** What the nodes of a cluster say about one record. */
export interface NodeCount {
  /** Nodes on which every projection of the record has got that far. */
  live: number
  /** Nodes that report. */
  total: number
  /** Those that report and are not live: the commit that they still show, and what is wrong. */
  behind: { node: string; shows: string | null; problem: string | null }[]
  /** Nodes whose report is too old to count, and since when: stopped, cut off, or gone for good. */
  silent: { node: string; since: string | null }[]
  /** Nodes not heard of for a week: gone for good, and named no more. */
  gone: number
}

const GONE_MS = 7 * 86_400_000

/**
 * Counts the agents' reports on a record (`namespace/source`). `reached` is the smallest token that is far
 * enough; undefined: none is. A Lease counts for as long as it says, which is a few of its agent's intervals.
 * A report that cannot be read may be on any record, so it keeps each from being live everywhere. A node that shows a
 * larger token than `largest`, all that the record knows, refuses what the record shows: it is not live. Pure.
 */
export function countLiveNodes(
  leases: readonly Lease[],
  record: string,
  { reached, largest }: { reached: Token | undefined; largest: Token | undefined },
  now: number,
): NodeCount {
  const count: NodeCount = { live: 0, total: 0, behind: [], silent: [], gone: 0 }
  for (const lease of leases) {
    const report = readReport(lease)
    if (report !== undefined && report.record !== record) continue
    const node = report?.node ?? lease.holder ?? lease.name
    if (isSilent(lease, now)) {
      if ((lease.renewed ?? now) + GONE_MS < now) count.gone += 1
      else count.silent.push({ node, since: timeText(lease.renewed) })
      continue
    }
    count.total += 1
    const lag = lagOf(report, reached, largest, now)
    if (lag === undefined) count.live += 1
    else count.behind.push({ node, ...lag })
  }
  return count
}

/** What a node shows that is not live there, and why; undefined: it is live. */
function lagOf(
  report: NodeReport | undefined,
  reached: Token | undefined,
  largest: Token | undefined,
  now: number,
): { shows: string | null; problem: string | null } | undefined {
  if (report === undefined) return { shows: null, problem: "its report cannot be read" }
  if (isAhead(report, largest)) return aheadOf(report, largest, now)
  return isLive(report, reached) ? undefined : laggardOf(report, reached)
}

function readReport({ annotations }: Lease): NodeReport | undefined {
  try {
    return NodeReport.parse(JSON.parse(annotations[REPORT_ANNOTATION] ?? ""))
  } catch {
    return undefined
  }
}

function isSilent({ renewed, duration }: Lease, now: number): boolean {
  return renewed === undefined || renewed + duration < now
}

/** Something that shows nothing for a reason (a list of targets that cannot be read, say) is not live. */
function isLive({ lowest, projections }: NodeReport, reached: Token | undefined): boolean {
  if (lowest === null || !hasReached(lowest, reached)) return false
  return !projections.some(isBlocked)
}

/** The projection that says most about why a node is behind. */
function laggardOf({ projections }: NodeReport, reached: Token | undefined) {
  const lagging = projections.filter(
    (each) => each.revision === null || (each.token !== null && !hasReached(each.token, reached)),
  )
  const worst = lagging.find(({ problem }) => problem !== null) ?? lagging[0]
  return { shows: worst?.revision ?? null, problem: worst?.problem?.message ?? null }
}

const DAY_MS = 86_400_000

function isAhead({ projections }: NodeReport, largest: Token | undefined): boolean {
  return projections.some(({ token }) => isBeyond(token, largest))
}

/** What a node shows that the record does not know: up to a day ahead of now the next epoch goes beyond it. */
function aheadOf({ projections }: NodeReport, largest: Token | undefined, now: number) {
  const ahead = projections.find(({ token }) => isBeyond(token, largest))
  const { epoch, seq } = ahead?.token ?? { epoch: 0, seq: 0 }
  const remedy =
    epoch > now + DAY_MS
      ? `run rewind --to COMMIT --epoch ${epoch + 1}`
      : "the next full reconcile begins an epoch beyond it"
  const problem = `it shows token ${epoch}.${seq}, larger than any that the record knows: an earlier record was put back; ${remedy}`
  return { shows: ahead?.revision ?? null, problem }
}

function isBeyond(token: Token | null, largest: Token | undefined): boolean {
  return token !== null && largest !== undefined && compareTokens(token, largest) > 0
}

function isBlocked({ revision, problem }: ReportedProjection): boolean {
  return revision === null && problem !== null
}

function hasReached(token: Token, reached: Token | undefined): boolean {
  return reached !== undefined && compareTokens(token, reached) >= 0
}

function timeText(milliseconds: number | undefined): string | null {
  return milliseconds === undefined ? null : new Date(milliseconds).toISOString()
}
