import { errorText } from "@headrace/shared/foundation/errors"
import type { SourceRepository } from "@headrace/shared/git/source-repository"
import type { ApprovePorts } from "@headrace/shared/reconcile/operate/hold-source"
import type { SourceRecord } from "@headrace/shared/record/record"
import type { ClusterSourceOptions } from "./cluster-source-options.ts"
import type { EffectFlags } from "./effect-flags.ts"
import { forEachClusterSource } from "./for-each-cluster-source.ts"
import { printResults } from "./print-results.ts"
import { effectText, hasTakenEffect, openEffects } from "./take-effect.ts"

export interface ChangeRecordsOptions extends ClusterSourceOptions, EffectFlags {}

/**
 * Records an operator's word in every chosen record, lets it take effect, and prints what each cluster shows then; gives
 * the exit code. `git`: whether the change itself needs what the origin has now; one that is away is then noted, and
 * the change goes by what this machine knows.
 */
export async function changeRecords(
  options: ChangeRecordsOptions,
  signal: AbortSignal,
  change: (ports: ApprovePorts) => Promise<SourceRecord>,
  { git }: { git: boolean },
): Promise<number> {
  const effects = openEffects(options)
  try {
    const results = await forEachClusterSource(options, signal, async (reconciler, place, settings) => {
      const { cluster, source } = place
      const ports = await reconciler.ports(cluster, source)
      const { kube, clock, repository, rulesRepository, onSwap } = ports
      if (git) await fetchIfPossible(repository, source, signal)
      const { namespace } = settings
      const record = await change({
        kube,
        clock,
        repository,
        rulesRepository,
        onSwap,
        settings: ports.settings,
        namespace,
        source,
      })
      const effect = await effects.take(reconciler, settings, place, signal)
      const { hold, approved, rejected } = record
      return { hold, approved, rejected, ...effect, commit: effect.commit ?? record.commit }
    })
    const code = printResults(results, options.output, (result) => {
      const { commit, hold, approved, rejected } = result
      const held = hold ? `held at ${hold.commit}` : "follows its branch"
      const shown = `${held}, shows ${commit ?? "nothing"}${approved ? `, ${approved.commit} approved` : ""}`
      const refused = rejected ? `, ${rejected.commit} rejected` : ""
      return `${shown}${refused}${effectText(result)}`
    })
    // What is held where it is needs nothing else to happen.
    const done = results.every((one) => one.ok && (hasTakenEffect(one.result) || isHeldThere(one.result)))
    return done ? code : 1
  } finally {
    await effects.close()
  }
}

function isHeldThere({ hold, commit }: Pick<SourceRecord, "hold" | "commit">): boolean {
  return hold !== null && hold.commit === commit
}

async function fetchIfPossible(
  repository: SourceRepository,
  source: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await repository.fetch(signal)
  } catch (error) {
    signal.throwIfAborted()
    process.stderr.write(`${source} could not be fetched, so its last fetch counts: ${errorText(error)}\n`)
  }
}
