import { suggestion } from "../../foundation/closest-word.ts"
import { UsageError } from "../../foundation/errors.ts"
import type { TargetId } from "../../foundation/target.ts"
import { allowedRules } from "../../plan/compile-rules.ts"
import { targetsOf } from "../../plan/plan-context.ts"
import { fetchTips } from "../decide/desired-revision.ts"
import { planContextFromSettings, rulesAt } from "../decide/plan-at.ts"
import { placeText } from "../run/cluster-plan.ts"
import { createReconcileMemory } from "../run/memory.ts"
import type { ReconcilePorts } from "../run/ports.ts"
import { isOurs, otherOwner } from "../target/ownership.ts"

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
): Promise<TargetId[]> {
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
  const adoptable: TargetId[] = []
  for (const target of new Map(targets.map((one) => [placeText(one), one])).values()) {
    const existing = await ports.kube.get(target.namespace, target.name, signal)
    if (existing === undefined) continue
    if (!isOurs(existing) || otherOwner(existing, source) !== undefined) adoptable.push(target)
  }
  return adoptable
}
