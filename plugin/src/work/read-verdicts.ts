import { systemClock } from "@headrace/shared/foundation/clock"
import type { Reconciler } from "@headrace/shared/reconcile/open-reconciler"
import { createReconcileMemory } from "@headrace/shared/reconcile/run/memory"
import type { Rejection } from "@headrace/shared/record/rollout-state"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { collectFleet } from "@headrace/shared/status/collect-fleet"
import type { ClusterSourceFacts } from "@headrace/shared/status/fleet-facts"
import { type CommitVerdict, judgeCommit } from "@headrace/shared/status/judge-commit"
import { rejectionsOf, revisionsWith } from "@headrace/shared/status/revisions-with"
import type { ReadVerdicts } from "../github/watch-live.ts"

/** A cluster that does not answer by then is not live; the next look asks again. */
const ANSWER_MS = 5000

/** Reads from records and Leases whether commits of a source are live, in every cluster of the settings. */
export function readVerdicts(
  opened: Pick<Reconciler, "kube" | "repository">,
  settings: OperatorSettings,
): ReadVerdicts {
  const memory = createReconcileMemory()
  return async (source, shas, { touched, signal = new AbortController().signal } = {}) => {
    const { kube, repository } = opened
    const clusterSources = Object.keys(settings.clusters).map((cluster) => ({ cluster, source }))
    const ports = { settings, kube, repository, clock: systemClock, memory }
    const facts = await collectFleet(ports, { clusterSources, fetch: false, limit: ANSWER_MS }, signal)
    const mirror = await repository(source)
    const rejections = rejectionsOf(facts.clusterSources, source)
    const verdicts = shas.map(async (sha) => {
      const each = facts.clusterSources.map(
        async (one) =>
          [
            one.cluster,
            await verdictOf(
              mirror,
              one,
              { commit: sha, touches: touched?.get(one.cluster), now: facts.at, rejections },
              signal,
            ),
          ] as const,
      )
      return [sha, new Map(await Promise.all(each))] as const
    })
    return new Map(await Promise.all(verdicts))
  }
}

async function verdictOf(
  mirror: Awaited<ReturnType<Reconciler["repository"]>>,
  facts: ClusterSourceFacts,
  {
    rejections,
    ...question
  }: {
    commit: string
    touches: ReadonlySet<string> | undefined
    now: number
    rejections: readonly Rejection[]
  },
  signal: AbortSignal,
): Promise<CommitVerdict> {
  const record = facts.record.known ? facts.record.value : undefined
  const recorded = record && (await revisionsWith(record, question.commit, mirror, signal, rejections))
  return judgeCommit({ ...question, facts, recorded, ignoreSilent: false })
}
