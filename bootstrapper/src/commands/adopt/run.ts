import { UsageError } from "@headrace/shared/foundation/errors"
import { adoptTarget } from "@headrace/shared/reconcile/operate/adopt-target"
import { findAdoptable } from "@headrace/shared/reconcile/operate/find-adoptable"
import { placeText } from "@headrace/shared/reconcile/run/cluster-plan"
import type { ClusterSourceOptions } from "../../cli/cluster-source-options.ts"
import type { EffectFlags } from "../../cli/effect-flags.ts"
import { forEachClusterSource } from "../../cli/for-each-cluster-source.ts"
import { printResults } from "../../cli/print-results.ts"
import { type Effect, effectText, hasTakenEffect, openEffects } from "../../cli/take-effect.ts"

export interface AdoptOptions extends ClusterSourceOptions, EffectFlags {
  target?: string[]
  rule?: string[]
}

/** Runs `adopt`. */
export async function runAdopt(options: AdoptOptions, signal: AbortSignal): Promise<number> {
  const named = options.target?.map(parseTarget)
  const effects = openEffects(options)
  try {
    const results = await forEachClusterSource(options, signal, async (reconciler, place, settings) => {
      const { cluster, source } = place
      const ports = await reconciler.ports(cluster, source)
      const targets = named ?? (await findAdoptable(ports, place, options.rule, signal))
      for (const target of targets) await adoptTarget(ports, source, target, signal)
      const effect: Effect =
        targets.length === 0 ? { effect: "noop" } : await effects.take(reconciler, settings, place, signal)
      return { adopted: targets.map(placeText), ...effect }
    })
    const code = printResults(
      results,
      options.output,
      (result) => `adopted ${result.adopted.join(", ") || "nothing"}${effectText(result)}`,
    )
    return results.every((one) => one.ok && hasTakenEffect(one.result)) ? code : 1
  } finally {
    await effects.close()
  }
}

function parseTarget(text: string): { namespace: string; name: string } {
  const [namespace, name, ...rest] = text.split("/")
  if (namespace && name && rest.length === 0) return { namespace, name }
  throw new UsageError("adopt/target", `${text}: expected NAMESPACE/NAME`)
}
