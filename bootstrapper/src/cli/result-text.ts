import type { LaneResult } from "@headrace/shared/lanes/lane-outcome"

/** What came of a reconcile, and the commit that the cluster shows, for a person. */
export function resultText({ result, commit }: Pick<LaneResult, "result" | "commit">): string {
  const shown = commit ?? "(nothing yet)"
  return result === "noop" ? `already at ${shown}` : `${result} ${shown}`
}
