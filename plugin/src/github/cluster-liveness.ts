import { type Fate, fates, type MergeReport, rejectionText } from "./merge-report.ts"

/** How far a merge has got in one cluster. */
export interface ClusterLiveness {
  cluster: string
  /** `failed`: something keeps it from being live that does not pass by waiting for nodes. */
  state: "live" | "waiting" | "failed"
  /** Why it failed, or what it waits for; null: it is live. */
  reason: string | null
  /** True when every target of it is written. */
  isWritten: boolean
  /** True when a rollout has tried it and returned. */
  isRejected: boolean
  /** Nodes that show it, of those that follow a record there. */
  live: number
  nodes: number
}

/** How far a merge has got in each cluster that it touches. Pure. */
export function clusterLiveness(report: MergeReport): ClusterLiveness[] {
  const byCluster = Map.groupBy(fates(report), ({ touched }) => touched.target.cluster)
  return [...byCluster].map(([cluster, some]) => ({ cluster, ...livenessOf(report, cluster, some) }))
}

function livenessOf(
  { parts }: MergeReport,
  cluster: string,
  some: readonly Fate[],
): Omit<ClusterLiveness, "cluster"> {
  const touching = parts.filter(({ touched }) => touched.some(({ target }) => target.cluster === cluster))
  const verdicts = touching.map(({ verdicts: of }) => of.get(cluster))
  const known = verdicts.filter((verdict) => verdict !== undefined)
  const isWritten = isAllKnown(verdicts)
    ? known.every((verdict) => verdict.recorded && verdict.failed.length === 0)
    : some.every(({ state }) => state === "written")
  const isRejected = known.some(({ rejected }) => rejected !== undefined)
  const counts = known.flatMap(({ nodes }) => (nodes === null ? [] : [nodes]))
  const live = counts.reduce((sum, one) => sum + one.live, 0)
  const nodes = counts.reduce((sum, one) => sum + one.total + one.silent.length, 0)
  if (isAllKnown(verdicts) && known.every((verdict) => verdict.live)) {
    return { state: "live", reason: null, isWritten: true, isRejected, live, nodes }
  }
  const failure = failureOf(some, known)
  if (failure !== undefined) return { state: "failed", reason: failure, isWritten, isRejected, live, nodes }
  const reason = known.find((verdict) => !verdict.live)?.reasons[0] ?? "not written yet"
  return { state: "waiting", reason, isWritten, isRejected, live, nodes }
}

type Verdict = NonNullable<ReturnType<MergeReport["parts"][number]["verdicts"]["get"]>>

function isAllKnown(verdicts: readonly (Verdict | undefined)[]): boolean {
  return verdicts.every((verdict) => verdict !== undefined)
}

/** What the record says now comes first: an outcome is from when the run ended, and a target may have been written since. */
function failureOf(some: readonly Fate[], verdicts: readonly Verdict[]): string | undefined {
  const rejected = verdicts.find((verdict) => verdict.rejected)?.rejected
  if (rejected) return rejectionText(rejected)
  const failed = verdicts.flatMap((verdict) => verdict.failed)
  if (failed.length > 0) return failed[0]
  if (verdicts.length > 0 && verdicts.every(({ recorded }) => recorded)) return undefined
  return some.find((fate) => fate.state === "failed")?.reason
}
