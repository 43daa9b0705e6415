import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import { compareText } from "../foundation/canonical-json.ts"
import { errorText, UsageError } from "../foundation/errors.ts"
import { kubeconfigContexts } from "./kubeconfig-file.ts"

/** The way to one cluster, as the operator's settings put it. */
export interface KubeconfigClusterSettings {
  kubeconfig: string
  context: string
}

/** What a folder of kubeconfigs holds. */
export interface KubeconfigFolder {
  /** By the context's name. */
  clusters: Record<string, KubeconfigClusterSettings>
  /** The current context of the last file that has one: Prow's `default`, where it runs in no cluster. */
  current: KubeconfigClusterSettings | undefined
}

/**
 * A folder of kubeconfigs as clusters, as Prow's --kubeconfig-dir: every context of every file is a cluster of
 * that name. With `suffix` only files that end so. Names that start with a dot, and folders, are left out: a
 * mounted Secret has `..data` beside its keys. Throws UsageError `kube/kubeconfig-folder` when it cannot be read,
 * `kube/kubeconfig` for a file that is none, or a name given twice.
 */
export async function loadKubeconfigFolder(folder: string, suffix = ""): Promise<KubeconfigFolder> {
  const clusters = new Map<string, KubeconfigClusterSettings>()
  let current: KubeconfigClusterSettings | undefined
  for (const kubeconfig of await kubeconfigFiles(folder, suffix)) {
    const contexts = await kubeconfigContexts(kubeconfig)
    for (const context of contexts.names) {
      const other = clusters.get(context)
      if (other) {
        throw new UsageError(
          "kube/kubeconfig",
          `context "${context}" is in ${other.kubeconfig} and in ${kubeconfig}`,
          { hint: "Rename one of them: contexts name the clusters." },
        )
      }
      clusters.set(context, { kubeconfig, context })
    }
    if (contexts.current !== undefined) current = { kubeconfig, context: contexts.current }
  }
  return { clusters: Object.fromEntries(clusters), current }
}

async function kubeconfigFiles(folder: string, suffix: string): Promise<string[]> {
  try {
    const names = (await readdir(folder)).filter((name) => !name.startsWith(".") && name.endsWith(suffix))
    const files = names.sort(compareText).map((name) => join(folder, name))
    const kinds = await Promise.all(files.map((file) => stat(file)))
    return files.filter((_, index) => kinds[index]?.isFile())
  } catch (error) {
    const message = `the folder of kubeconfigs ${folder} cannot be read: ${errorText(error)}`
    throw new UsageError("kube/kubeconfig-folder", message, { hint: "Check its path and permissions." })
  }
}
