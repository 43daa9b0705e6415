import { suggestion } from "../../foundation/closest-word.ts"
import type { ConfigMap } from "../../foundation/config-map.ts"
import { HeadraceError, UsageError } from "../../foundation/errors.ts"
import type { TargetId } from "../../foundation/target.ts"
import { allowedRules } from "../../plan/compile-rules.ts"
import { judgePlace } from "../../plan/judge-place.ts"
import { isClosedByDefault, namespacesLine } from "../../plan/open-namespaces.ts"
import { targetsOf } from "../../plan/plan-context.ts"
import { fetchTips } from "../decide/desired-revision.ts"
import { planContextFromSettings, rulesAt } from "../decide/plan-at.ts"
import { placeText } from "../run/cluster-plan.ts"
import { createReconcileMemory } from "../run/memory.ts"
import type { ReconcilePorts, ReconcileSettings } from "../run/ports.ts"
import { isOurs, otherOwner } from "../target/ownership.ts"

/** What `adopt` may take over, and what it leaves alone since its namespace is not open. */
export interface Adoptable {
  targets: TargetId[]
  barred: TargetId[]
}

/**
 * The ConfigMaps of a cluster that a source's rules name at the branch's tip and that others own: without
 * labels (Prow puts them only on what it creates), or another source's. `globs`: of these rules alone. Throws
 * UsageError `adopt/unknown-rule`, KubeError, `git/…`, `rules/…`.
 */
export async function findAdoptable(
  ports: ReconcilePorts,
  { cluster, source }: { cluster: string; source: string },
  globs: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<Adoptable> {
  const tips = await fetchTips(ports, signal)
  const revision = { commit: tips.source.commit, rulesCommit: tips.rules?.commit ?? null }
  const { rules } = await rulesAt(ports, ports.memory ?? createReconcileMemory(), revision, signal)
  const context = planContextFromSettings(ports.settings)
  const known = allowedRules(rules, context)
  const stray = globs?.find((glob) => known.every((rule) => rule.glob !== glob))
  if (stray !== undefined) {
    const hint = suggestion(
      stray,
      known.map(({ glob }) => glob),
    )
    throw new UsageError("adopt/unknown-rule", `no rule of ${source} has the glob ${stray}`, { hint })
  }
  const chosen = known.filter((rule) => rule.view && (globs?.includes(rule.glob) ?? true))
  const targets = chosen.flatMap((rule) => targetsOf(rule, context)).filter((one) => one.cluster === cluster)
  const found: Adoptable = { targets: [], barred: [] }
  for (const target of new Map(targets.map((one) => [placeText(one), one])).values()) {
    const existing = await ports.kube.get(target.namespace, target.name, signal)
    if (existing === undefined) continue
    if (isOurs(existing) && otherOwner(existing, source) === undefined) continue
    const isBarred = whyBarred(target, existing, ports.settings) !== undefined
    found[isBarred ? "barred" : "targets"].push(target)
  }
  return found
}

/**
 * Why a source may not take an existing ConfigMap over: rules may not name its namespace, or that is closed by default and
 * the ConfigMap is a stranger's. Undefined where it may.
 */
export function whyBarred(
  target: TargetId,
  existing: ConfigMap | undefined,
  settings: ReconcileSettings,
): HeadraceError | undefined {
  const context = planContextFromSettings(settings)
  const objection = judgePlace(target, context)
  if (objection) {
    const { code, message, hint } = objection
    return new HeadraceError(code, message, hint === undefined ? {} : { hint })
  }
  if (!isClosedByDefault(target, context) || (existing !== undefined && isOurs(existing))) return undefined
  const { namespace, name, cluster } = target
  const message = `ConfigMap ${namespace}/${name} is a stranger's, in a namespace that is closed to new ones`
  const line = namespacesLine([settings.defaults.namespace, namespace])
  return new HeadraceError("plan/namespace-closed", message, {
    hint: `Add its namespace to those of cluster ${cluster} in the settings: ${line}.`,
  })
}
