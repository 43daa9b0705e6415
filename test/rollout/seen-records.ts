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

/** True once a report is in a cluster that says that a node failed with what the record there tries: a writer can hear it. */
export async function isHeardOf(site: Pick<StagedSite, "clusters">, commit: string): Promise<boolean> {
  const records = await recordsNow(site)
  for (const [cluster, record] of records) {
    if (record.rejected?.commit === commit) return true
    const { candidate } = record
    if (candidate?.commit !== commit) continue
    const leases = await site.clusters
      .get(cluster)
      ?.listLeases(NAMESPACE, REPORT_SELECTOR, AbortSignal.timeout(ANSWER_MS))
    const failed = (leases ?? []).map((lease) => readReport(lease)?.rollout?.failed)
    if (failed.some((one) => one && compareTokens(one.token, candidate.token) === 0)) return true
  }
  return false
}
