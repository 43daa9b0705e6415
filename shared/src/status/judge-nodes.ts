import type { Lease } from "../kube/lease-api.ts"
import type { NodeReport, ReportedProjection } from "../record/node-report.ts"
import type { Token } from "../record/record.ts"
import { isSilent, readReport } from "../record/report-of-lease.ts"
import { compareTokens } from "../record/token.ts"
import type { NodeCount } from "./fleet-status.ts"
import { isFarAhead } from "./node-remedy.ts"

/** What a node has to show to be live. */
export interface Wanted {
  /** `namespace/source` of the record that it has to follow. */
  record: string
  /** The tokens of the record's revisions that are good enough; none: nothing is. */
  tokens: readonly Token[]
  /** The largest token that the record knows: a node beyond it refuses what the record shows. Undefined: no record. */
  largest: Token | undefined
}

/** Not heard of for so long, a node is gone for good. */
const GONE_MS = 7 * 86_400_000
/** What the node itself reports of such a record, too. */
export const PUT_BACK = "projection/older"

/**
 * Counts what the agents report of a record. A node is live when its own report, still in force, shows exactly a token
 * that the record has: a larger one is of a record that was replaced, and one in between is of no revision that
 * is known. A report that cannot be read may be of any record, so it keeps each from being live. Pure.
 */
export function judgeNodes(leases: readonly Lease[], wanted: Wanted, now: number): NodeCount {
  const count: NodeCount = { live: 0, total: 0, behind: [], silent: [], gone: 0 }
  const unhealthy: NonNullable<NodeCount["unhealthy"]> = []
  for (const lease of leases) {
    const report = readReport(lease)
    if (report !== undefined && report.record !== wanted.record) continue
    const node = report?.node ?? lease.holder ?? lease.name
    if (isSilent(lease, now)) {
      if ((lease.renewed ?? now) + GONE_MS < now) count.gone += 1
      else count.silent.push({ node, since: timeText(lease.renewed), shows: shownBy(report) })
      continue
    }
    count.total += 1
    const lag = lagOf(report, wanted, now)
    if (lag === undefined) count.live += 1
    else count.behind.push({ node, ...lag })
    unhealthy.push(...unhealthyOf(node, report))
  }
  return unhealthy.length === 0 ? count : { ...count, unhealthy }
}

/** A check that fails keeps no node from being live: it shows what it is to show. */
function unhealthyOf(node: string, report: NodeReport | undefined): NonNullable<NodeCount["unhealthy"]> {
  const failing = report?.projections.find(({ problem }) => problem?.code === "projection/unhealthy")
  if (!failing?.problem) return []
  const { message, since } = failing.problem
  return [{ node, problem: `${failing.name}: ${message}`, since }]
}

type Lag = Omit<NodeCount["behind"][number], "node">

/** What a node shows that is not live there, and why; undefined: it is live. */
function lagOf(report: NodeReport | undefined, wanted: Wanted, now: number): Lag | undefined {
  if (report === undefined) {
    return { shows: null, code: null, problem: "its report cannot be read", since: null }
  }
  const ahead = report.projections.find(({ token }) => isBeyond(token, wanted.largest))
  if (ahead?.token) return aheadOf(ahead, ahead.token, now)
  return isLive(report, wanted) ? undefined : laggardOf(report, wanted)
}

/** Something that shows nothing for a reason (a list of targets that cannot be read, say) is not live. */
function isLive({ lowest, projections }: NodeReport, wanted: Wanted): boolean {
  if (lowest === null || !hasToken(wanted, lowest)) return false
  return projections.every(
    (each) => !isBlocked(each) && (each.token === null || hasToken(wanted, each.token)),
  )
}

/** The projection that says most about why a node is behind. */
function laggardOf({ projections }: NodeReport, wanted: Wanted): Lag {
  const lagging = projections.filter(
    (each) => each.revision === null || (each.token !== null && !hasToken(wanted, each.token)),
  )
  const worst = lagging.find(({ problem }) => problem !== null) ?? lagging[0]
  const problem = worst?.problem ?? projections.find((each) => each.problem !== null)?.problem
  return {
    shows: worst?.revision ?? null,
    code: problem?.code ?? null,
    problem: problem?.message ?? null,
    since: problem?.since ?? worst?.since ?? null,
  }
}

/** What a node shows that the record does not know. */
function aheadOf({ revision, since }: ReportedProjection, token: Token, now: number): Lag {
  const { epoch, seq } = token
  const remedy = isFarAhead(token, now)
    ? `run rewind --to COMMIT --epoch ${epoch + 1}`
    : "the next full reconcile begins an epoch beyond it"
  const problem = `it shows token ${epoch}.${seq}, larger than any that the record knows: an earlier record was put back; ${remedy}`
  return { shows: revision, code: PUT_BACK, problem, since }
}

function isBeyond(token: Token | null, largest: Token | undefined): boolean {
  return token !== null && largest !== undefined && compareTokens(token, largest) > 0
}

function isBlocked({ revision, problem }: ReportedProjection): boolean {
  return revision === null && problem !== null
}

function hasToken({ tokens }: Wanted, token: Token): boolean {
  return tokens.some((one) => compareTokens(one, token) === 0)
}

function shownBy(report: NodeReport | undefined): string | null {
  return report?.projections.find(({ revision }) => revision !== null)?.revision ?? null
}

function timeText(milliseconds: number | undefined): string | null {
  return milliseconds === undefined ? null : new Date(milliseconds).toISOString()
}
