import type { TouchedTarget } from "@headrace/shared/plan/touched-keys"
import type { CommitVerdict } from "@headrace/shared/status/judge-commit"
import type { DeliveryOutcome } from "../deliveries/answer-deliveries.ts"

/** What a merge came to so far. */
export interface MergeReport {
  /** ORG/NAME. */
  repo: string
  pull: number
  sha: string
  /** One for each source that follows the branch. */
  parts: readonly MergePart[]
}

/** The targets of one source whose files a merge changed, and how each cluster fared. */
export interface MergePart {
  touched: readonly TouchedTarget[]
  /** By cluster; one that has not answered yet is absent. */
  outcomes: ReadonlyMap<string, DeliveryOutcome>
  /** Whether the merge is live, by cluster; one about which nothing is known is absent. */
  verdicts: ReadonlyMap<string, CommitVerdict>
}

/** One target's fate. */
export type Fate =
  | { state: "written" | "waiting"; touched: TouchedTarget }
  | { state: "failed"; touched: TouchedTarget; reason: string }

/** How each touched target fared, in the order of the plan. */
export function fates(report: MergeReport): Fate[] {
  return report.parts.flatMap(({ touched, outcomes, verdicts }) =>
    touched.map((one) => {
      const { cluster } = one.target
      return fateOf(one, outcomes.get(cluster), verdicts.get(cluster))
    }),
  )
}

/** A rollout that returned goes before what was written: the baseline took its place. */
function fateOf(
  touched: TouchedTarget,
  outcome: DeliveryOutcome | undefined,
  verdict: CommitVerdict | undefined,
): Fate {
  if (verdict?.rejected) return { state: "failed", touched, reason: rejectionText(verdict.rejected) }
  if (outcome === undefined) return { state: "waiting", touched }
  const name = `${touched.target.namespace}/${touched.target.name}`
  const failed = outcome.failed.find(({ target }) => target === name)
  if (failed) return { state: "failed", touched, reason: failed.reason }
  if (outcome.state === "written") return { state: "written", touched }
  const { error } = outcome
  const reason = error ? `${error.code}: ${error.message}` : "the cluster is stopped"
  return { state: "failed", touched, reason }
}

/** What is said of a merge that a rollout has returned from. */
export function rejectionText({ reason, code }: NonNullable<CommitVerdict["rejected"]>): string {
  return `tried by stages and taken back: ${reason} [${code}]; fix it and merge again`
}
