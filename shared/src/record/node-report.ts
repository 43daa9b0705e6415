import { z } from "zod"
import { Token } from "./record.ts"

export const REPORT_FORMAT = 1

/** Where a Lease carries the report, and what Leases to list for all of them. */
export const REPORT_ANNOTATION = "headrace.dev/report"
export const REPORT_SELECTOR = "app.kubernetes.io/name=headrace,app.kubernetes.io/component=agent"

const ReportedProjection = z.strictObject({
  name: z.string(),
  path: z.string(),
  /** What it shows: the commit (or a digest); null: nothing yet. */
  revision: z.string().nullable(),
  /** The record's token of that; null: nothing yet, or it follows other sources. */
  token: Token.nullable(),
  /** ISO time since which it shows that. */
  since: z.string().nullable(),
  /** What is wrong now; null: nothing. */
  problem: z.strictObject({ code: z.string(), message: z.string(), since: z.string() }).nullable(),
})

/** What one node shows, as its agent's Lease says it. */
export const NodeReport = z.strictObject({
  format: z.literal(REPORT_FORMAT),
  node: z.string(),
  /** The record that it follows, `namespace/source`; null: none. */
  record: z.string().nullable(),
  /** Projections with a problem first; as many as fit. */
  projections: z.array(ReportedProjection),
  /** How many more there are, and the smallest token that any of all shows of the record (null: one shows nothing). */
  more: z.int().min(0),
  lowest: Token.nullable(),
})
export type NodeReport = z.infer<typeof NodeReport>
export type ReportedProjection = z.infer<typeof ReportedProjection>
