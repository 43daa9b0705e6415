import { errorText } from "@headrace/shared/foundation/errors"
import type { SourceRepository } from "@headrace/shared/git/source-repository"
import type { ApprovePorts } from "@headrace/shared/reconcile/operate/hold-source"
import { obeyWord } from "@headrace/shared/reconcile/operate/obey-words"
import type { OperatorWord } from "@headrace/shared/reconcile/operate/operator-word"
import { changeRecord } from "@headrace/shared/reconcile/record/change-record"
import type { SourceRecord } from "@headrace/shared/record/record"
import type { ClusterSourceOptions } from "./cluster-source-options.ts"
import type { EffectFlags } from "./effect-flags.ts"
import { forEachClusterSource } from "./for-each-cluster-source.ts"
import { printResults } from "./print-results.ts"
import type { SpokenWord } from "./say-word.ts"
import { effectText, hasTakenEffect, openEffects } from "./take-effect.ts"

export interface ChangeRecordsOptions extends ClusterSourceOptions, EffectFlags {}

/**
 * Records an operator's word in every chosen record, lets it take effect, and prints what each cluster shows then; gives
 * the exit code. A machine without the signing key has a program that has it do so. `git`: whether the change itself needs what the origin has now; one that is away is then noted, and
 * the change goes by what this machine knows.
 */
export async function changeRecords(
  options: ChangeRecordsOptions,
  signal: AbortSignal,
  say: (ports: ApprovePorts) => Promise<SpokenWord>,
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
      const own = {
        kube,
        clock,
        repository,
        rulesRepository,
        onSwap,
        settings: ports.settings,
        namespace,
        source,
      }
      const word = await say(own)
      const far = await effects.say(reconciler, settings, place, word, signal)
      const record = far
        ? await recordOf(own, signal)
        : await obeyWord(own, { ...word, ...said(own) }, signal)
      const effect = far ?? (await effects.take(reconciler, settings, place, signal))
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
    const done = results.every(
      (one) =>
        one.ok && (hasTakenEffect(one.result) || (one.result.effect !== "waits" && isHeldThere(one.result))),
    )
    return done ? code : 1
  } finally {
    await effects.close()
  }
}

/** What makes a word of this machine's own one that `obeyWord` takes. */
function said({ source, clock }: ApprovePorts): Pick<OperatorWord, "format" | "source" | "at"> {
  return { format: 1, source, at: new Date(clock.now()).toISOString() }
}

/** The record after a program with the key has changed it, or may yet. Throws `record/absent`. */
async function recordOf(ports: ApprovePorts, signal: AbortSignal): Promise<SourceRecord> {
  return changeRecord(ports, (record) => record, signal)
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
