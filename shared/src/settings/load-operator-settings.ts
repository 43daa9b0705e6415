import { UsageError } from "../foundation/errors.ts"
import type { LocatedYaml } from "../foundation/located-yaml.ts"
import { loadKubeconfigFolder } from "./kubeconfig-folder.ts"
import { ClusterName, type ClusterSettings, OperatorSettings } from "./operator-settings.ts"
import { loadSettings } from "./parse-settings.ts"
import { noteSettingPlace } from "./setting-places.ts"

/**
 * The operator's file, parsed and judged, with the clusters that its folder of kubeconfigs brings.
 *
 * Throws UsageError: `settings/unreadable`, `settings/invalid` with every problem as `file:line:column`,
 * `settings/no-cluster`, `settings/cluster-address` for a cluster that is nowhere or in two places, `settings/context-name`, and
 * `kube/kubeconfig…` for a folder or a file in it that does not read.
 */
export async function loadOperatorSettings(file: string): Promise<OperatorSettings> {
  const settings = await loadSettings(file, OperatorSettings, notePlaces)
  const brought = await clustersOfFolder(settings.kubeconfigs)
  const own = Object.entries(settings.clusters).map(
    ([name, cluster]) => [name, addressed(name, cluster, brought[name])] as const,
  )
  const clusters = { ...brought, ...Object.fromEntries(own) }
  if (Object.keys(clusters).length > 0 || Object.keys(settings.sources).length === 0) {
    return { ...settings, clusters }
  }
  throw new UsageError("settings/no-cluster", `the settings ${file} name no cluster`, {
    hint: 'List them under "clusters", or a folder of kubeconfigs under "kubeconfigs".',
  })
}

/** Where each cluster names its kubeconfig: whether that is there shows only when the cluster is connected to. */
function notePlaces({ clusters }: OperatorSettings, yaml: LocatedYaml): void {
  for (const [name, cluster] of Object.entries(clusters)) {
    const { line, column } = yaml.positionOf(["clusters", name, "kubeconfig"])
    noteSettingPlace(cluster, `${yaml.file}:${line}:${column}`)
  }
}

async function clustersOfFolder(
  given: OperatorSettings["kubeconfigs"],
): Promise<Record<string, ClusterSettings>> {
  if (given === undefined) return {}
  const { folder, suffix, ...common } = given
  const { clusters } = await loadKubeconfigFolder(folder, suffix)
  for (const [name, { kubeconfig }] of Object.entries(clusters)) {
    if (ClusterName.safeParse(name).success) continue
    throw new UsageError(
      "settings/context-name",
      `kubeconfig ${kubeconfig}: the context "${name}" names no cluster`,
      {
        hint: "Rename it to letters, digits, -, _, ., : and / (kubectl config rename-context).",
      },
    )
  }
  return Object.fromEntries(
    Object.entries(clusters).map(([name, address]) => [name, { ...common, ...address }]),
  )
}

/** A cluster that is nowhere must not count as the one that we run in: what rules mean for another would go there. */
function addressed(
  name: string,
  cluster: ClusterSettings,
  brought: ClusterSettings | undefined,
): ClusterSettings {
  const { inCluster, kubeconfig, context } = cluster
  if (inCluster && (kubeconfig ?? context)) {
    throw wrongAddress(
      name,
      "it is the one that this program runs in, and has a kubeconfig",
      "Take one away.",
    )
  }
  if (inCluster || kubeconfig !== undefined) return cluster
  if (brought !== undefined && context === undefined) return { ...brought, ...cluster }
  throw wrongAddress(name, "nothing says where it is", 'Give it "kubeconfig: FILE" or "inCluster: true".')
}

function wrongAddress(name: string, why: string, hint: string): UsageError {
  return new UsageError("settings/cluster-address", `cluster "${name}": ${why}`, { hint })
}
