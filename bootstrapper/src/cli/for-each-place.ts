import { errorText, HeadraceError, hasCode, UsageError } from "@headrace/shared/foundation/errors"
import { createLog } from "@headrace/shared/observe/log"
import { openReconciler, type Reconciler } from "@headrace/shared/reconcile/open-reconciler"
import { loadOperatorSettings } from "@headrace/shared/settings/load-operator-settings"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { choosePlaces, type Place, type PlaceOptions } from "./place-options.ts"

export interface PlaceError {
  code: string
  message: string
  hint?: string
}

/** What came of one place: a result, or the error that kept it. */
export type PlaceResult<Result> = Place & ({ ok: true; result: Result } | { ok: false; error: PlaceError })

/**
 * Does something for every chosen cluster and source: clusters at the same time, so that one which does not
 * answer keeps nobody waiting; the sources of a cluster one after the other. Errors become results; only
 * misuse is thrown.
 */
export async function forEachPlace<Result>(
  options: PlaceOptions,
  signal: AbortSignal,
  work: (reconciler: Reconciler, place: Place, settings: OperatorSettings) => Promise<Result>,
  choose: (settings: OperatorSettings) => Place[] = (settings) => choosePlaces(settings, options),
): Promise<PlaceResult<Result>[]> {
  const settings = await loadOperatorSettings(options.config)
  const places = choose(settings)
  const log = createLog("bootstrapper", { level: options.logLevel, destination: process.stderr })
  const reconciler = await openReconciler(settings, log)
  const clusters = Map.groupBy(places, ({ cluster }) => cluster)
  try {
    const results = [...clusters.values()].map((mine) =>
      inTurn(mine, (place) => work(reconciler, place, settings)),
    )
    return (await Promise.all(results)).flat()
  } finally {
    await reconciler.close()
  }

  async function inTurn(mine: readonly Place[], go: (place: Place) => Promise<Result>) {
    const results: PlaceResult<Result>[] = []
    for (const place of mine) {
      signal.throwIfAborted()
      results.push(await attempt(place, go))
    }
    return results
  }
}

/**
 * The work's result, or its error as a result; misuse is thrown, except for a kubeconfig that does not read: that
 * is one cluster's trouble, which must not keep the others waiting.
 */
export async function attempt<Result>(
  place: Place,
  go: (place: Place) => Promise<Result>,
): Promise<PlaceResult<Result>> {
  try {
    return { ...place, ok: true, result: await go(place) }
  } catch (error) {
    if (error instanceof UsageError && !hasCode(error, "kube/")) throw error
    const code = error instanceof HeadraceError ? error.code : "program/unexpected"
    const hint = error instanceof HeadraceError ? error.hint : undefined
    return { ...place, ok: false, error: { code, message: errorText(error), ...(hint ? { hint } : {}) } }
  }
}
