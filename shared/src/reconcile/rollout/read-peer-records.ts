import type { ConfigMapWriter } from "../../kube/config-map-api.ts"
import type { PeerRecord } from "../../rollout/seen-clusters.ts"
import { loadRecord } from "../record/swap-record.ts"

/** A cluster that does not answer keeps the others waiting no longer than this. */
const ANSWER_MS = 3000

/** Reads a source's records in these clusters, side by side; one that cannot be read is `unreachable`. */
export async function readPeerRecords(
  clusters: readonly string[],
  { namespace, source }: { namespace: string; source: string },
  kube: (cluster: string) => Promise<ConfigMapWriter>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, PeerRecord>> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)])
  const read = await Promise.all(clusters.map(async (cluster) => [cluster, await recordOf(cluster)] as const))
  signal.throwIfAborted()
  return new Map(read)

  async function recordOf(cluster: string): Promise<PeerRecord> {
    try {
      const state = await loadRecord(await kube(cluster), namespace, source, limited)
      return state === undefined || state.record.commit === null ? null : state.record
    } catch {
      return "unreachable"
    }
  }
}
