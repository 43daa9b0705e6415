import { UsageError } from "@headrace/shared/foundation/errors"
import { changeRollouts } from "../../cli/change-rollouts.ts"
import { chooseClusterSources, clusterNamed } from "../../cli/cluster-source-options.ts"
import type { WordFlags } from "../../cli/word-flags.ts"

export type SkipOptions = WordFlags

/**
 * Runs `rollout skip`; gives the exit code. The word is kept in the records of the other clusters: the one that is skipped
 * is often one that does not answer. Throws UsageError `flag/cluster`, `settings/unknown-cluster`.
 */
export function runSkip({ cluster, ...options }: SkipOptions, signal: AbortSignal): Promise<number> {
  if (cluster === undefined) {
    throw new UsageError("flag/cluster", "--cluster names no cluster to skip", {
      hint: "Give the cluster that the rollout is to continue without, as status names it.",
    })
  }
  const names = cluster
  return changeRollouts(options, signal, {
    said: { verb: "skip", clusters: names },
    choose(settings) {
      for (const name of names) clusterNamed(settings, name)
      return chooseClusterSources(settings, options).filter((place) => !names.includes(place.cluster))
    },
    done: `continues without ${names.join(", ")}`,
  })
}
