import { systemClock } from "@headrace/shared/foundation/clock"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import { obeyWord } from "@headrace/shared/reconcile/operate/obey-words"
import type { Said } from "@headrace/shared/reconcile/operate/operator-word"
import { changeRecord } from "@headrace/shared/reconcile/record/change-record"
import type { Candidate } from "@headrace/shared/record/rollout-state"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { type ClusterSource, chooseClusterSources } from "./cluster-source-options.ts"
import { forEachClusterSource } from "./for-each-cluster-source.ts"
import { printResults } from "./print-results.ts"
import { type Effect, effectText, hasTakenEffect, openEffects } from "./take-effect.ts"
import { refuseEmptyReason, type WordFlags } from "./word-flags.ts"

export interface ChangeRollouts {
  /** What is said of each of these rollouts. */
  said: Said
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
  { said, choose, done }: ChangeRollouts,
): Promise<number> {
  refuseEmptyReason(options.reason)
  const word = { by: options.by, reason: options.reason, said }
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
        const before = await changeRecord(ports, (record) => record, signal)
        if (before.candidate === null) return { rollout: "none", candidate: null, commit: before.commit }
        const far = await effects.say(reconciler, settings, place, word, signal)
        const at = new Date(systemClock.now()).toISOString()
        const record = far ? before : await obeyWord(ports, { ...word, format: 1, source, at }, signal)
        const { candidate, commit } = record
        const effect = far ?? (await effects.take(reconciler, settings, place, signal))
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
