import type { HoldPorts } from "@headrace/shared/reconcile/operate/hold-source"
import type { Record } from "@headrace/shared/record/record"
import { forEachPlace } from "./for-each-place.ts"
import type { PlaceOptions } from "./place-options.ts"
import { printPlaces } from "./print-places.ts"

/** Changes the hold of every chosen record and prints what each shows then; gives the exit code. */
export async function changeRecords(
  options: PlaceOptions,
  signal: AbortSignal,
  change: (ports: HoldPorts) => Promise<Record>,
): Promise<number> {
  const results = await forEachPlace(
    options,
    signal,
    async (reconciler, { cluster, source }, { namespace }) => {
      const { kube, clock, repository, rulesRepository } = await reconciler.ports(cluster, source)
      await repository.fetch(signal)
      const record = await change({ kube, clock, repository, rulesRepository, namespace, source })
      const { commit, hold, approved } = record
      return { commit, hold, approved }
    },
  )
  return printPlaces(results, options.output, ({ commit, hold, approved }) => {
    const held = hold ? `held at ${hold.commit}` : "follows its branch"
    return `${held}, shows ${commit ?? "nothing"}${approved ? `, ${approved} approved` : ""}`
  })
}
