import { UsageError } from "@headrace/shared/foundation/errors"
import { adoptTarget, detachSource } from "@headrace/shared/reconcile/adopt-target"
import { loadRecord } from "@headrace/shared/reconcile/record-state"
import type { AdoptOptions } from "../adopt.ts"
import { forEachPlace } from "../for-each-place.ts"
import type { PlaceOptions } from "../place-options.ts"
import { printPlaces } from "../print-places.ts"

/** How the record lists targets that adopting would mend. */
const NOT_OURS = /^reconcile\/(not-ours|other-source):/

/** Runs `adopt`. */
export async function runAdopt(options: AdoptOptions, signal: AbortSignal): Promise<number> {
  const named = options.target?.map(parseTarget)
  const results = await forEachPlace(
    options,
    signal,
    async (reconciler, { cluster, source }, { namespace }) => {
      const kube = await reconciler.kube(cluster)
      const record = await loadRecord(kube, namespace, source, signal)
      const refused = record?.record.failed.filter(({ reason }) => NOT_OURS.test(reason))
      const targets = named ?? refused?.map(({ target }) => parseTarget(target)) ?? []
      for (const target of targets) await adoptTarget(kube, source, target, signal)
      return { adopted: targets.map((target) => `${target.namespace}/${target.name}`) }
    },
  )
  return printPlaces(results, options.output, ({ adopted }) => `adopted ${adopted.join(", ") || "nothing"}`)
}

/** Runs `detach`. */
export async function runDetach(options: PlaceOptions, signal: AbortSignal): Promise<number> {
  const results = await forEachPlace(options, signal, async (reconciler, { cluster, source }, settings) => {
    const kube = await reconciler.kube(cluster)
    const namespaces = settings.clusters[cluster]?.namespaces ?? [""]
    const detached = await detachSource(kube, { namespace: settings.namespace, source, namespaces }, signal)
    return { detached }
  })
  return printPlaces(
    results,
    options.output,
    ({ detached }) => `detached ${detached.join(", ") || "nothing"}`,
  )
}

function parseTarget(text: string): { namespace: string; name: string } {
  const [namespace, name, ...rest] = text.split("/")
  if (namespace && name && rest.length === 0) return { namespace, name }
  throw new UsageError("adopt/target", `${text}: expected NAMESPACE/NAME`)
}
