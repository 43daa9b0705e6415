import type { ObjectMeta } from "@headrace/shared/foundation/config-map"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { KubeError } from "@headrace/shared/kube/kube-error"
import { listOrphans, listProwOrphans } from "@headrace/shared/reconcile/target/list-orphans"
import type { TargetDifference } from "./target-difference.ts"

/** Where to look for ConfigMaps that nothing names. */
export interface UnnamedWhere {
  cluster: string
  /** `""`: all. */
  namespaces: readonly string[]
  /** Whose label to look for; undefined: it is not known which source this is. */
  source: string | undefined
  /** True: no other source's rules can name what Prow keeps here. */
  only: boolean
}

/**
 * The orphans of a source, and of Prow where no other source could name them. A cluster that refuses the list
 * gives a note: everything else can be reported without it. Throws KubeError.
 */
export async function findUnnamed(
  kube: Pick<ConfigMapWriter, "listMetadata">,
  { cluster, namespaces, source, only }: UnnamedWhere,
  named: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<{ differences: TargetDifference[]; notes: string[] }> {
  try {
    const ours = source === undefined ? [] : await listOrphans(kube, { source, namespaces }, named, signal)
    const prows = only ? await listProwOrphans(kube, namespaces, named, signal) : []
    const notes =
      source === undefined && !only ? [`${cluster}: orphans are not looked for without --source`] : []
    return {
      differences: [
        ...ours.map(differenceOf(cluster, "orphan")),
        ...prows.map(differenceOf(cluster, "prow-orphan")),
      ],
      notes,
    }
  } catch (error) {
    if (!(error instanceof KubeError) || error.code !== "kube/forbidden") throw error
    return { differences: [], notes: [`${cluster}: orphans are not looked for: ${error.message}`] }
  }
}

function differenceOf(cluster: string, state: "orphan" | "prow-orphan") {
  return ({ namespace, name }: ObjectMeta): TargetDifference => ({
    target: { cluster, namespace, name },
    state,
    keys: [],
  })
}
