import type { Lease } from "../kube/lease-api.ts"
import { NodeReport, REPORT_ANNOTATION } from "../record/node-report.ts"

/** The report that a Lease carries; undefined: there is none that this version can read. */
export function readReport({ annotations }: Pick<Lease, "annotations">): NodeReport | undefined {
  try {
    return NodeReport.parse(JSON.parse(annotations[REPORT_ANNOTATION] ?? ""))
  } catch {
    return undefined
  }
}

/** True when a report is too old to count: a Lease counts for as long as it says, a few of its agent's intervals. */
export function isSilent({ renewed, duration }: Pick<Lease, "renewed" | "duration">, now: number): boolean {
  return renewed === undefined || renewed + duration < now
}
