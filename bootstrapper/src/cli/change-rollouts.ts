import { systemClock } from "@headrace/shared/foundation/clock"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import { changeRecord } from "@headrace/shared/reconcile/record/change-record"
import type { SourceRecord } from "@headrace/shared/record/record"
import type { Candidate } from "@headrace/shared/record/rollout-state"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { type ClusterSource, chooseClusterSources } from "./cluster-source-options.ts"
import { forEachClusterSource } from "./for-each-cluster-source.ts"
import { printResults } from "./print-results.ts"
import { type Effect, effectText, hasTakenEffect, openEffects } from "./take-effect.ts"
import { refuseEmptyReason, type WordFlags } from "./word-flags.ts"

/** Who says something of a rollout, why, and when (ISO time). */
type Word = NonNullable<Candidate["word"]>

export interface ChangeRollouts {
  /** The record with the word in it; the same where it does not concern this rollout. */
  change(record: SourceRecord, word: Word): SourceRecord
  /** The records to look at; those that the flags choose unless given. */
  choose?(settings: OperatorSettings): ClusterSource[]
  /** What has changed, for people: `promoted without its bake times`. */
  done: string
}

type Changed = ({ rollout: "none" } | ({ rollout: string } & Effect)) & {
  candidate: Candidate | null
  commit: string | null
}

/**
 * Records an operator's word in each chosen record that has a rollout under way, lets it take effect, and prints what came
 * of it; gives the exit code. Where no record has one the word was for nothing: 1. Throws UsageError for misuse.
 */
export async function changeRollouts(
  options: WordFlags,
  signal: AbortSignal,
  { change, choose, done }: ChangeRollouts,
): Promise<number> {
  refuseEmptyReason(options.reason)
  const word = { by: options.by, reason: options.reason, at: new Date(systemClock.now()).toISOString() }
  const effects = openEffects(options)
  const chosen = choose ?? ((settings: OperatorSettings) => chooseClusterSources(settings, options))
  try {
    const results = await forEachClusterSource(
      options,
      signal,
      async (reconciler, place, settings): Promise<Changed> => {
        const { cluster, source } = place
        const { namespace } = settings
        const ports = { ...(await reconciler.ports(cluster, source)), namespace, source }
        const record = await changeRecord(
          ports,
          (current) => (current.candidate === null ? current : change(current, word)),
          signal,
        )
        const { candidate, commit } = record
        if (candidate === null) return { rollout: "none", candidate, commit }
        const effect = await effects.take(reconciler, settings, place, signal)
        return { rollout: done, ...effect, candidate, commit: effect.commit ?? commit }
      },
      chosen,
    )
    const code = printResults(results, options.output, changedText)
    const changed = results.flatMap((one) => (one.ok && one.result.rollout !== "none" ? [one.result] : []))
    if (changed.length === 0 && code === 0) throw noRollout()
    return changed.every((one) => !("effect" in one) || hasTakenEffect(one)) ? code : 1
  } finally {
    await effects.close()
  }
}

function changedText(result: Changed): string {
  if (!("effect" in result)) return "no rollout is under way here"
  const { rollout, candidate, commit } = result
  return `${rollout}: candidate ${candidate?.commit}, shows ${commit ?? "nothing"}${effectText(result)}`
}

function noRollout(): HeadraceError {
  return new HeadraceError("rollout/none", "no rollout is under way in any of these clusters", {
    hint: "Run status to see what each cluster shows.",
  })
}
