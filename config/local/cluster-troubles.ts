import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { OWN_NAMESPACE, SOURCE } from "./local-settings.ts"
import type { LocalCluster } from "./start-local.ts"

/** What the clusters' records say is wrong, a line each: what stopped, and which ConfigMaps cannot be written. */
export async function clusterTroubles(
  clusters: Iterable<LocalCluster>,
  settingsFile: string,
): Promise<string[]> {
  const lines = await Promise.all([...clusters].map((cluster) => troublesOf(cluster, settingsFile)))
  return lines.flat()
}

async function troublesOf({ name, kube }: LocalCluster, settingsFile: string): Promise<string[]> {
  const configMap = await inProcessClient(kube.store).get(OWN_NAMESPACE, SOURCE)
  if (configMap === undefined) return []
  const { stopped, failed, failedMore } = readRecord(configMap)
  return [
    ...(stopped
      ? [`${name} stays as it is: ${stopped.message} [${stopped.code}]${approval(stopped, settingsFile)}`]
      : []),
    ...failed.map(({ target, reason }) => `${name}/${target} stays as it is: ${reason}`),
    ...(failedMore > 0 ? [`${name}: ${failedMore} more ConfigMaps stay as they are`] : []),
  ]
}

/** What to type where the guard or a gate waits for an operator. */
function approval(stopped: { code: string; commit?: string | null }, settingsFile: string): string {
  const lift = stopped.code.startsWith("gate/") ? " --gate" : ""
  if (!(stopped.code.startsWith("guard/") || lift) || !stopped.commit) return ""
  return `; to let it through: npm run -s bootstrapper -- approve --config ${settingsFile}${lift} --commit ${stopped.commit}`
}
