import { access } from "node:fs/promises"
import { homedir } from "node:os"
import { delimiter, join } from "node:path"
import { UsageError } from "@headrace/shared/foundation/errors"
import { DEFAULT_CLUSTER } from "@headrace/shared/rules/resolve-places"
import { kubeconfigContexts } from "@headrace/shared/settings/kubeconfig-file"
import {
  type KubeconfigClusterSettings,
  loadKubeconfigFolder,
} from "@headrace/shared/settings/kubeconfig-folder"
import { ClusterName } from "@headrace/shared/settings/operator-settings"
import type { ProwOptions } from "./prow-flags.ts"

/** Contexts by name, and the one that counts as current: of several files, the last that has one. */
interface Contexts {
  clusters: Record<string, KubeconfigClusterSettings>
  current: KubeconfigClusterSettings | undefined
}

/**
 * The clusters that Prow would see with these flags: every context of --kubeconfig, of --kubeconfig-dir or else of
 * KUBECONFIG and ~/.kube/config; `default` is the cluster that this runs in, otherwise the current context
 * (kubernetes-sigs/prow, pkg/kube/config.go). Contexts whose names no cluster can have are reported on standard error.
 * Throws UsageErrors that name the flag.
 */
export async function prowClusters(options: ProwOptions): Promise<Record<string, object>> {
  const { kubeconfig, kubeconfigDir, kubeconfigSuffix, projectedTokenFile: tokenFile } = options
  if (kubeconfigSuffix !== "" && kubeconfigDir === undefined) {
    throw new UsageError("apply/kubeconfig-suffix", "--kubeconfig-suffix goes with --kubeconfig-dir")
  }
  const { clusters, current } = await contextsOf(kubeconfig, kubeconfigDir, kubeconfigSuffix)
  const isInCluster = options.inClusterConfig && Boolean(process.env.KUBERNETES_SERVICE_HOST)
  const own = { inCluster: true, ...(tokenFile === undefined ? {} : { tokenFile }) }
  const found: Record<string, object> = { ...fitNames(clusters) }
  if (isInCluster) found[DEFAULT_CLUSTER] = own
  else if (current !== undefined) found[DEFAULT_CLUSTER] = current
  if (tokenFile !== undefined && !isInCluster) {
    note("--projected-token-file is for the cluster that this runs in, and it runs in none: not used")
  }
  if (Object.keys(found).length > 0) return found
  throw new UsageError("apply/no-cluster", "no flag names a cluster", {
    hint: "Give --kubeconfig or --kubeconfig-dir, set KUBECONFIG, or run inside a cluster.",
  })
}

async function contextsOf(
  kubeconfig: string | undefined,
  folder: string | undefined,
  suffix: string,
): Promise<Contexts> {
  if (kubeconfig === undefined && folder === undefined) return contextsOfEnvironment()
  const first = kubeconfig === undefined ? NONE : await contextsOfFile(kubeconfig)
  const second = folder === undefined ? NONE : await loadKubeconfigFolder(folder, suffix)
  const twice = Object.keys(first.clusters).find((name) => name in second.clusters)
  if (twice === undefined) return merged(first, second)
  throw new UsageError("kube/kubeconfig", `context "${twice}" is in ${kubeconfig} and in ${folder}`, {
    hint: "Rename one of them: contexts name the clusters.",
  })
}

/** As kubectl finds them: of two files that have a context, the first counts. */
async function contextsOfEnvironment(): Promise<Contexts> {
  const named = process.env.KUBECONFIG?.split(delimiter).filter((file) => file !== "") ?? []
  const files = named.length > 0 ? named : [join(homedir(), ".kube/config")]
  let found = NONE
  for (const file of files) {
    const isThere = await access(file).then(
      () => true,
      () => false,
    )
    if (isThere) found = merged(await contextsOfFile(file), found)
  }
  return found
}

const NONE: Contexts = { clusters: {}, current: undefined }

async function contextsOfFile(kubeconfig: string): Promise<Contexts> {
  const { names, current } = await kubeconfigContexts(kubeconfig)
  return {
    clusters: Object.fromEntries(names.map((context) => [context, { kubeconfig, context }])),
    current: current === undefined ? undefined : { kubeconfig, context: current },
  }
}

function merged(first: Contexts, second: Contexts): Contexts {
  return {
    clusters: { ...first.clusters, ...second.clusters },
    current: second.current ?? first.current,
  }
}

function fitNames(clusters: Contexts["clusters"]): Contexts["clusters"] {
  const entries = Object.entries(clusters)
  const unfit = entries.filter(([name]) => !ClusterName.safeParse(name).success)
  for (const [name, { kubeconfig }] of unfit) {
    note(`the context ${JSON.stringify(name)} of ${kubeconfig} cannot name a cluster: left out`)
  }
  return Object.fromEntries(entries.filter(([name]) => ClusterName.safeParse(name).success))
}

function note(text: string): void {
  process.stderr.write(`note: ${text}\n`)
}
