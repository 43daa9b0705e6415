import { z } from "zod"
import { HeadraceError } from "../foundation/errors.ts"
import { Token } from "./record.ts"

/**
 * The largest format that this version writes, and reads with its predecessor. Format 1 has no member `rollout` and is
 * written while there is nothing to say in it.
 */
export const REPORT_FORMAT = 2

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

/** A revision of the record, exactly: a verdict of one says nothing of another. */
const ShownRevision = z.strictObject({ token: Token, root: z.string() })

/** What a rollout goes by. A node that says nothing of a revision is no healthy node with it. */
export const RolloutReport = z.strictObject({
  /** By the agent's settings; stages select nodes by them. */
  labels: z.record(z.string(), z.string()),
  /** Why this node never takes a candidate; null: it does. */
  keepsBaseline: z.string().nullable(),
  /** What all its projections of the record show; null: they differ, or one shows nothing of it. */
  shown: ShownRevision.nullable(),
  /** What the projections' own checks found of `shown`; none: they have none. */
  checks: z.enum(["none", "pending", "passing", "failing"]),
  /** A revision that a projection here refused, or has returned from: the node then shows another one. */
  failed: z
    .strictObject({
      token: Token,
      root: z.string(),
      projection: z.string(),
      code: z.string(),
      message: z.string(),
      since: z.string(),
    })
    .nullable(),
})
export type RolloutReport = z.infer<typeof RolloutReport>

const members = {
  node: z.string(),
  /** The record that it follows, `namespace/source`; null: none. */
  record: z.string().nullable(),
  /** Projections with a problem first; as many as fit. */
  projections: z.array(ReportedProjection),
  /** How many more there are, and the smallest token that any of all shows of the record (null: one shows nothing). */
  more: z.int().min(0),
  lowest: Token.nullable(),
}

/** What one node shows, as its agent's Lease says it. */
const NodeReportNow = z.strictObject({
  format: z.literal(REPORT_FORMAT),
  ...members,
  /** Null: an earlier version wrote it, or no rollout and no check concerns this node. */
  rollout: RolloutReport.nullable(),
})
export type NodeReport = z.infer<typeof NodeReportNow>

const NodeReportBefore = z
  .strictObject({ format: z.literal(1), ...members })
  .transform((before): NodeReport => ({ ...before, format: REPORT_FORMAT, rollout: null }))

export const NodeReport = z.union([NodeReportNow, NodeReportBefore])

/** The report as a Lease carries it: in the lowest format that can say it. Throws `record/unreadable-report`. */
export function reportJson({ rollout, ...report }: NodeReport): string {
  const text = JSON.stringify(rollout === null ? { ...report, format: 1 } : { ...report, rollout })
  const { error } = NodeReport.safeParse(JSON.parse(text))
  if (error === undefined) return text
  // Nobody could read it: what was reported before stays, and is old after a while.
  throw new HeadraceError(
    "record/unreadable-report",
    `the report of node ${report.node} is none that Headrace reads`,
    { hint: "Check the node's clock and the names of its projections.", cause: error },
  )
}
export type ReportedProjection = z.infer<typeof ReportedProjection>
