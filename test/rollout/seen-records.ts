import { loadRecord } from "@headrace/shared/reconcile/record/swap-record"
import { REPORT_SELECTOR } from "@headrace/shared/record/node-report"
import type { SourceRecord } from "@headrace/shared/record/record"
import { readReport } from "@headrace/shared/record/report-of-lease"
import { compareTokens } from "@headrace/shared/record/token"
import { NAMESPACE, SOURCE } from "./fleet-plan.ts"
import type { StagedSite } from "./staged-site.ts"

const ANSWER_MS = 20_000

/** The source's record in every cluster, as it is now. */
export async function recordsNow({
  clusters,
}: Pick<StagedSite, "clusters">): Promise<Map<string, SourceRecord>> {
  const records = new Map<string, SourceRecord>()
  for (const [cluster, kube] of clusters) {
    const state = await loadRecord(kube, NAMESPACE, SOURCE, AbortSignal.timeout(ANSWER_MS))
    if (state !== undefined) records.set(cluster, state.record)
  }
  return records
}

/** True when every record shows this commit, tries nothing and has nothing to restore. */
export function areAt(records: ReadonlyMap<string, SourceRecord>, commit: string): boolean {
  return [...records.values()].every(
    (record) => record.commit === commit && record.candidate === null && record.intents.length === 0,
  )
}

/** The stage in which a commit is tried: the furthest of all clusters; undefined: no node gets it yet, or any more. */
export function stageOf(records: ReadonlyMap<string, SourceRecord>, commit: string): number | undefined {
  const stages = [...records.values()].flatMap(({ candidate }) => {
    const isOpen = candidate?.commit === commit && (candidate.bound > 0 || candidate.selectors.length > 0)
    return isOpen ? [candidate.stage] : []
  })
  return stages.length === 0 ? undefined : Math.max(...stages)
}

/**
 * When a writer could first hear that a node failed with what its record tries, in milliseconds since 1970: when that report
 * was written, or else when the commit was rejected. Undefined: no report says so yet.
 */
export async function heardAt(
  site: Pick<StagedSite, "clusters">,
  commit: string,
): Promise<number | undefined> {
  const times: number[] = []
  for (const [cluster, { rejected, candidate }] of await recordsNow(site)) {
    if (rejected?.commit === commit) times.push(Date.parse(rejected.at))
    if (candidate?.commit !== commit) continue
    const kube = site.clusters.get(cluster)
    const leases = await kube?.listLeases(NAMESPACE, REPORT_SELECTOR, AbortSignal.timeout(ANSWER_MS))
    for (const lease of leases ?? []) {
      const failed = readReport(lease)?.rollout?.failed
      if (failed && compareTokens(failed.token, candidate.token) === 0)
        times.push(lease.renewed ?? Date.now())
    }
  }
  return times.length === 0 ? undefined : Math.min(...times)
}
