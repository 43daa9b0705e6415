import { UsageError } from "@headrace/shared/foundation/errors"
import type { TargetId } from "@headrace/shared/foundation/target"
import { adoptTarget } from "@headrace/shared/reconcile/operate/adopt-target"
import { findAdoptable, whyBarred } from "@headrace/shared/reconcile/operate/find-adoptable"
import { placeText } from "@headrace/shared/reconcile/run/cluster-plan"
import type { ReconcilePorts } from "@headrace/shared/reconcile/run/ports"
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
      const { targets, barred } = named
        ? { targets: await allowed(ports, place, named, signal), barred: [] }
        : await findAdoptable(ports, place, options.rule, signal)
      for (const target of targets) await adoptTarget(ports, source, target, signal)
      const effect: Effect =
        targets.length === 0 ? { effect: "noop" } : await effects.take(reconciler, settings, place, signal)
      const left = barred.length > 0 ? { barred: barred.map(placeText) } : {}
      return { adopted: targets.map(placeText), ...left, ...effect }
    })
    const code = printResults(
      results,
      options.output,
      (result) =>
        `adopted ${result.adopted.join(", ") || "nothing"}${barredText(result.barred)}${effectText(result)}`,
    )
    return results.every((one) => one.ok && hasTakenEffect(one.result)) ? code : 1
  } finally {
    await effects.close()
  }
}

/** The named targets. Throws where one is in a namespace that is not open: `plan/namespace-closed` or another of `plan/…`. */
async function allowed(
  ports: ReconcilePorts,
  { cluster }: { cluster: string },
  named: readonly { namespace: string; name: string }[],
  signal: AbortSignal,
): Promise<TargetId[]> {
  const targets = named.map((one) => ({ cluster, ...one }))
  for (const target of targets) {
    const existing = await ports.kube.get(target.namespace, target.name, signal)
    const error = whyBarred(target, existing, ports.settings)
    if (existing !== undefined && error) throw error
  }
  return targets
}

function barredText(barred: readonly string[] = []): string {
  return barred.length === 0 ? "" : `; left ${barred.join(", ")}: its namespace is not open in the settings`
}

function parseTarget(text: string): { namespace: string; name: string } {
  const [namespace, name, ...rest] = text.split("/")
  if (namespace && name && rest.length === 0) return { namespace, name }
  throw new UsageError("adopt/target", `${text}: expected NAMESPACE/NAME`)
}
