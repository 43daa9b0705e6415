import { parseJsonAs } from "../foundation/parse-json.ts"
import { NodeReport, REPORT_ANNOTATION } from "./node-report.ts"

/** A Lease, as far as a report in it goes. Times in milliseconds: `renewed` since the epoch; undefined: never. */
interface ReportLease {
  annotations: Readonly<Record<string, string>>
  renewed: number | undefined
  duration: number
}

/** The report that a Lease carries; undefined: there is none that this version can read. */
export function readReport({ annotations }: Pick<ReportLease, "annotations">): NodeReport | undefined {
  return parseJsonAs(NodeReport, annotations[REPORT_ANNOTATION])
}

/** True when a report is too old to count: a Lease counts for as long as it says, a few of its agent's intervals. */
export function isSilent(
  { renewed, duration }: Pick<ReportLease, "renewed" | "duration">,
  now: number,
): boolean {
  return renewed === undefined || renewed + duration < now
}

/** What nodes say now: the reports of Leases that are not silent. */
export function reportsNow(leases: readonly ReportLease[], now: number): NodeReport[] {
  return leases.flatMap((lease) => (isSilent(lease, now) ? [] : (readReport(lease) ?? [])))
}
