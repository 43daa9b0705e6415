import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { compareText } from "../foundation/canonical-json.ts"
import { UsageError } from "../foundation/errors.ts"
import { kubeconfigContexts } from "./kubeconfig-file.ts"

/** The way to one cluster, as the operator's settings put it. */
export interface KubeconfigClusterSettings {
  kubeconfig: string
  context: string
}

/**
 * A folder of kubeconfigs as clusters, as Prow's --kubeconfig-dir: every context of every file is a cluster of
 * that name. With `suffix` only files that end so. Names that start with a dot are left out: a mounted Secret
 * has `..data` beside its keys. Throws UsageError `kube/kubeconfig` for a file that is none, or a name given twice.
 */
export async function loadKubeconfigFolder(
  folder: string,
  suffix = "",
): Promise<Record<string, KubeconfigClusterSettings>> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith(".") && name.endsWith(suffix))
  const clusters = new Map<string, KubeconfigClusterSettings>()
  for (const name of names.sort(compareText)) {
    const kubeconfig = join(folder, name)
    for (const context of await kubeconfigContexts(kubeconfig)) {
      const other = clusters.get(context)
      if (other) {
        throw new UsageError(
          "kube/kubeconfig",
          `context "${context}" stands in ${other.kubeconfig} and in ${kubeconfig}`,
          {
            hint: "Rename one of them: contexts name the clusters.",
          },
        )
      }
      clusters.set(context, { kubeconfig, context })
    }
  }
  return Object.fromEntries(clusters)
}
