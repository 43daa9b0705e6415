import { z } from "zod"
import type { Clock } from "../../foundation/clock.ts"
import { parseJsonAs } from "../../foundation/parse-json.ts"
import type { Lease, LeaseReader } from "../../kube/lease-api.ts"
import { retryTransient, transientRetry } from "../../kube/retry-transient.ts"
import { REPORT_ANNOTATION, REPORT_SELECTOR } from "../../record/node-report.ts"
import { isSilent, readReport } from "../../record/report-of-lease.ts"
import type { ReportedNode } from "../../rollout/reported-node.ts"

/**
 * The nodes that follow a source's record, by their Leases. Throws KubeError, `kube/forbidden` where Leases may not be listed:
 * a cluster whose reports may not be read is no cluster without agents.
 */
export async function reportedNodes(
  leases: LeaseReader,
  { namespaces, record, clock }: { namespaces: readonly string[]; record: string; clock: Clock },
  signal: AbortSignal,
): Promise<ReportedNode[]> {
  const found = await Promise.all(
    [...new Set(namespaces)].map((namespace) =>
      retryTransient(transientRetry(clock), signal, () =>
        leases.listLeases(namespace, REPORT_SELECTOR, signal),
      ),
    ),
  )
  return found.flat().flatMap((lease) => reportedNode(lease, record, clock.now()) ?? [])
}

/** Undefined: the report is of another record, or is none. */
function reportedNode(lease: Lease, record: string, now: number): ReportedNode | undefined {
  const report = readReport(lease)
  if (report === undefined) return unreadableNode(lease, record, now)
  if (report.record !== record) return undefined
  const { rollout, projections } = report
  const problem = projections.find((projection) => projection.problem !== null)?.problem ?? null
  return {
    node: report.node,
    labels: rollout?.labels ?? {},
    version: `${lease.renewed} ${lease.annotations[REPORT_ANNOTATION]}`,
    fresh: !isSilent(lease, now),
    answers: rollout !== null,
    keepsBaseline: rollout?.keepsBaseline ?? null,
    shown: rollout?.shown ?? null,
    checks: rollout?.checks ?? "none",
    failed: rollout?.failed
      ? { token: rollout.failed.token, root: rollout.failed.root, why: whyOf(rollout.failed) }
      : null,
    problem: problem && `${problem.message} [${problem.code}]`,
  }
}

/** A node whose agent is of a later version: it may show a candidate, and what it says of that is not known. */
function unreadableNode(lease: Lease, record: string, now: number): ReportedNode | undefined {
  const named = z.object({ record: z.literal(record), node: z.string() })
  const text = lease.annotations[REPORT_ANNOTATION] ?? ""
  const found = parseJsonAs(named, text)
  if (found === undefined) return undefined
  return {
    node: found.node,
    labels: {},
    version: `${lease.renewed} ${text}`,
    fresh: !isSilent(lease, now),
    answers: true,
    keepsBaseline: null,
    shown: null,
    checks: "none",
    failed: null,
    problem: "this version cannot read its report",
  }
}

function whyOf({ projection, message, code }: { projection: string; message: string; code: string }): string {
  return `projection ${projection}: ${message} [${code}]`
}
