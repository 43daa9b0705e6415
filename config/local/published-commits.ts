import { readdir, readlink } from "node:fs/promises"
import { basename, join } from "node:path"
import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { OWN_NAMESPACE, SOURCE } from "./local-settings.ts"
import type { LocalCluster } from "./start-local.ts"

/** A commit that one cluster's record shows, and how many projections on disk have moved to it. */
export interface PublishedCommit {
  cluster: string
  commit: string
  projections: number
}

/** Finds each commit once, when disk shows it, or when the agent is ready and has nothing to move for it. */
export function createPublishedCommits(): (clusters: Iterable<LocalCluster>) => Promise<PublishedCommit[]> {
  const seen = new Map<string, string>()

  async function look(cluster: LocalCluster): Promise<PublishedCommit[]> {
    const commit = await recordedCommit(cluster)
    if (commit === undefined || seen.get(cluster.name) === commit) return []
    const projections = await countProjections(cluster.folder, commit)
    if (projections === 0 && !(await isReady(cluster))) return []
    seen.set(cluster.name, commit)
    return [{ cluster: cluster.name, commit, projections }]
  }

  return async (clusters) => (await Promise.all([...clusters].map(look))).flat()
}

async function recordedCommit({ kube }: LocalCluster): Promise<string | undefined> {
  const configMap = await inProcessClient(kube.store).get(OWN_NAMESPACE, SOURCE)
  return configMap === undefined ? undefined : (readRecord(configMap).commit ?? undefined)
}

async function isReady({ agentUrl }: LocalCluster): Promise<boolean> {
  const response = await fetch(`${agentUrl}/readyz`).catch(() => undefined)
  await response?.arrayBuffer()
  return response?.status === 200
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
