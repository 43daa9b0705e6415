import { systemClock } from "@headrace/shared/foundation/clock"
import type { TreeFile } from "@headrace/shared/foundation/tree"
import type { FoldersTree } from "@headrace/shared/git/read-folder-tree"
import { connectCluster } from "@headrace/shared/kube/client-node/connect-cluster"
import { namespacesToSearch } from "@headrace/shared/plan/open-namespaces"
import type { Plan } from "@headrace/shared/plan/plan"
import { closedReasons, newInClosed } from "@headrace/shared/reconcile/decide/refuse-closed"
import { placeText } from "@headrace/shared/reconcile/run/cluster-plan"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { clusterNamed } from "../../cli/cluster-source-options.ts"
import { commandLog } from "../../cli/command-log.ts"
import { attempt, type ClusterSourceResult } from "../../cli/for-each-cluster-source.ts"
import { diffTargets } from "./diff-targets.ts"
import { findUnnamed } from "./find-unnamed.ts"
import type { TargetDifference } from "./target-difference.ts"

/** What a folder's rules want, everywhere. */
export interface FolderPlan {
  settings: OperatorSettings
  plan: Plan
  files: FoldersTree
  /** Undefined: it is not known which source the folder is of. */
  source: string | undefined
  keepForeign: boolean
  logLevel: string
}

/** What came of comparing one cluster. */
export interface Differing {
  differences: TargetDifference[]
  /** What could not be looked at, and why: lines for people. */
  notes: string[]
  /** True when a mistake keeps a target from being compared. */
  refused: boolean
}

/** Compares the ConfigMaps of one cluster with what a folder's rules want. */
export function diffFolder(
  cluster: string,
  { settings, plan, files, source, keepForeign, logLevel }: FolderPlan,
  signal: AbortSignal,
): Promise<ClusterSourceResult<Differing>> {
  return attempt({ cluster, source: source ?? "" }, async () => {
    const address = clusterNamed(settings, cluster)
    const log = commandLog(logLevel)
    const kube = await connectCluster(cluster, address, log)
    try {
      const wantedHere = plan.targets.filter(({ target, view }) => view && target.cluster === cluster)
      const fresh = await newInClosed({ kube, clock: systemClock }, source, wantedHere, signal)
      const closed = closedReasons(wantedHere, fresh, settings)
      const targets = wantedHere.filter(({ target }) => !closed.has(placeText(target)))
      const wanted = {
        targets,
        source,
        contents: (planned: (typeof targets)[number]) =>
          Promise.all(planned.keys.map(({ file }) => files.read(file))),
        checkedOut: (changed: readonly TreeFile[]) => files.checkedOut(changed),
        owned: async () => () => !keepForeign,
      }
      const differences = await diffTargets(kube, wanted, signal)
      const refused = plan.problems.flatMap(({ target }) => (target?.cluster === cluster ? [target] : []))
      const named = new Set([...wantedHere.map(({ target }) => target), ...refused].map(placeText))
      const { sources } = settings
      const where = {
        cluster,
        namespaces: namespacesToSearch(address.namespaces),
        source,
        only: Object.keys(sources).length < 2,
      }
      const unnamed = await findUnnamed(kube, where, named, signal)
      const notes = [...closed].map(([place, reason]) => `${cluster}/${place}: ${reason}`)
      return {
        differences: [...differences, ...unnamed.differences],
        notes: [...notes, ...unnamed.notes],
        refused: closed.size > 0,
      }
    } finally {
      kube.close()
    }
  })
}
