import { systemClock } from "../foundation/clock.ts"
import type { AnswerLimits } from "../kube/answer-limits.ts"
import { type ConnectedCluster, connectCluster } from "../kube/client-node/connect-cluster.ts"
import type { Log } from "../observe/log.ts"
import type { ClusterSettings, OperatorSettings } from "../settings/operator-settings.ts"
import { type SigningClient, signingRecords } from "./signed-records.ts"

/** A cluster whose records are verified and signed, where the settings say so. */
export type OpenCluster = ConnectedCluster & Partial<SigningClient>

/** Connects to a cluster of the settings. Throws UsageError `kube/…`. */
export async function openCluster(
  { signing, namespace }: Pick<OperatorSettings, "signing" | "namespace">,
  name: string,
  cluster: ClusterSettings,
  log: Log,
  limits?: Omit<AnswerLimits, "culprit">,
): Promise<OpenCluster> {
  const bounded = limits && { limits: { ...limits, culprit: `cluster ${name}` } }
  const kube = await connectCluster(name, cluster, log, bounded)
  if (signing === undefined) return kube
  return signingRecords(kube, { signing, cluster: name, namespace, now: systemClock.now })
}
