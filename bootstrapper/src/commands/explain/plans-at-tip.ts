import { targetsOfPath } from "@headrace/shared/plan/broken-files"
import { type CompiledRules, compileRules } from "@headrace/shared/plan/compile-rules"
import { planAt, planContextFromSettings, rulesAt } from "@headrace/shared/reconcile/decide/plan-at"
import { refuseClosed } from "@headrace/shared/reconcile/decide/refuse-closed"
import { loadRecord } from "@headrace/shared/reconcile/record/swap-record"
import { type ClusterPlan, placeText } from "@headrace/shared/reconcile/run/cluster-plan"
import { createReconcileMemory } from "@headrace/shared/reconcile/run/memory"
import type { ReconcilePorts } from "@headrace/shared/reconcile/run/ports"
import type { Answer, Ask } from "@headrace/shared/status/answer"
import { type FleetFacts, laneKey } from "@headrace/shared/status/fleet-facts"
import { commandLog } from "../../cli/command-log.ts"
import type { Fleet } from "../../cli/open-fleet.ts"
import { tipOf } from "./find-subject.ts"

/** What the rules want at the tip in one cluster, and what they have to do with a path. */
export interface TipPlan extends ClusterPlan {
  /** `namespace/name` of the targets that the rules give a path to, whether there is a file or not. */
  targetsOf(path: string): string[]
}

/** What the rules want at the tip of each source in each cluster, by `cluster source`. */
export async function plansAtTip(
  { reconciler, clusterSources }: Fleet,
  facts: FleetFacts,
  ask: Ask,
): Promise<Map<string, Answer<TipPlan>>> {
  const plans = await Promise.all(
    clusterSources.map(async ({ cluster, source }) => {
      const plan = await ask(`git, for source ${source},`, async (signal) => {
        // What the rules have against files is said of the targets that it concerns.
        const ports = { ...(await reconciler.ports(cluster, source)), log: commandLog("silent") }
        const commit = tipOf(facts, source) ?? (await ports.repository.fetch(signal)).commit
        const hasOwnRules = ports.rulesRepository === ports.repository
        const rulesCommit = hasOwnRules ? null : (await ports.rulesRepository.fetch(signal)).commit
        return planToWrite(ports, { cluster, source }, { commit, rulesCommit }, signal)
      })
      return [laneKey(cluster, source), plan] as const
    }),
  )
  return new Map(plans)
}

/** The plan without what would be new in a closed namespace. */
async function planToWrite(
  ports: ReconcilePorts,
  place: { cluster: string; source: string },
  revision: { commit: string; rulesCommit: string | null },
  signal: AbortSignal,
): Promise<TipPlan> {
  const memory = ports.memory ?? createReconcileMemory()
  const whole = await planAt(ports, memory, place.cluster, revision, signal)
  const state = await loadRecord(ports.kube, ports.settings.namespace, place.source, signal)
  const run = { ports, memory, request: { ...place, mode: "full" as const }, signal }
  const plan = await refuseClosed(run, { root: state?.record.root ?? null, whole, previous: undefined })
  const { rules } = await rulesAt(ports, memory, revision, signal)
  let compiled: CompiledRules | undefined
  function targetsOf(path: string): string[] {
    compiled ??= compileRules(rules, planContextFromSettings(ports.settings))
    const targets = targetsOfPath(compiled, path)
    return targets.filter(({ cluster }) => cluster === place.cluster).map(placeText)
  }
  return { ...plan, targetsOf }
}
