import { readdir, readlink } from "node:fs/promises"
import { basename, join } from "node:path"
import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { LEASES } from "@headrace/config/local/embedded-kube/resource-kind"
import { NodeReport, REPORT_ANNOTATION } from "@headrace/shared/record/node-report"
import type { SourceRecord, Token } from "@headrace/shared/record/record"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { compareTokens } from "@headrace/shared/record/token"
import { OWN_NAMESPACE, SOURCE } from "./local-settings.ts"
import type { LocalCluster } from "./start-local.ts"

/** A commit that one cluster's record shows, and how many projections on disk have moved to it. */
export interface PublishedCommit {
  cluster: string
  commit: string
  projections: number
}

/** Finds each commit once, when all that moves to it has moved, or when the agent has reached it and had nothing to move for it. */
export function createPublishedCommits(): (clusters: Iterable<LocalCluster>) => Promise<PublishedCommit[]> {
  const seen = new Map<string, string>()
  /** How many had moved at the last look: projections move one after the other, so the first count is no answer. */
  const moved = new Map<string, string>()

  async function look(cluster: LocalCluster): Promise<PublishedCommit[]> {
    const record = await recordOf(cluster)
    const commit = record?.commit ?? null
    if (!record || commit === null || seen.get(cluster.name) === commit) return []
    // In this order: what moves between the two is counted.
    const isReached = hasReached(cluster, record.token)
    const projections = await countProjections(cluster.folder, commit)
    const isSettled = projections > 0 && moved.get(cluster.name) === `${commit} ${projections}`
    moved.set(cluster.name, `${commit} ${projections}`)
    if (!isReached && !isSettled) return []
    seen.set(cluster.name, commit)
    return [{ cluster: cluster.name, commit, projections }]
  }

  return async (clusters) => (await Promise.all([...clusters].map(look))).flat()
}

async function recordOf({ kube }: LocalCluster): Promise<SourceRecord | undefined> {
  const configMap = await inProcessClient(kube.store).get(OWN_NAMESPACE, SOURCE)
  return configMap === undefined ? undefined : readRecord(configMap)
}

/** True when the node reports that all its projections are at the token, moved or not. */
function hasReached({ kube }: LocalCluster, token: Token): boolean {
  return kube.store.list(LEASES, OWN_NAMESPACE).some(({ metadata }) => {
    const text = metadata.annotations?.[REPORT_ANNOTATION]
    const report = text === undefined ? undefined : NodeReport.safeParse(JSON.parse(text)).data
    return report?.lowest ? compareTokens(report.lowest, token) >= 0 : false
  })
}

/** Projections NAMESPACE/CONFIGMAP beneath a folder whose link points to the commit's revision. */
async function countProjections(folder: string, commit: string): Promise<number> {
  let count = 0
  for (const namespace of await namesIn(folder)) {
    for (const name of await namesIn(join(folder, namespace))) {
      const shown = await readlink(join(folder, namespace, name, "..data")).catch(() => "")
      if (basename(shown) === commit) count += 1
    }
  }
  return count
}

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).filter((name) => !name.startsWith("."))
}
