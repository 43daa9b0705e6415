import type { Token } from "../record/token.ts"

/** What a node's agent says of a record and of the revision that it shows. From its Lease (reconcile/rollout/reported-nodes.ts). */
export interface ReportedNode {
  node: string
  labels: { [label: string]: string }
  /** Changes with every report: the time that the agent gave it, and what it says. */
  version: string
  /** True: the report is in force by its own time, as `status` judges it. */
  fresh: boolean
  /** False: its agent knows no candidates, or has not seen yet that there is one. */
  answers: boolean
  /** Why it never shows a candidate (a single run, no name, pinned); null: it does. */
  keepsBaseline: string | null
  /** What all of its projections of the record show; null: not one revision, or nothing. */
  shown: { token: Token; root: string | null } | null
  /** Of its `after` checks of what is shown. */
  checks: "none" | "pending" | "passing" | "failing"
  /** A revision that failed or was vetoed there, whatever it shows now; null: none did. */
  failed: { token: Token; root: string | null; why: string } | null
  /** What is wrong with a projection of the record; null: nothing. */
  problem: string | null
}
