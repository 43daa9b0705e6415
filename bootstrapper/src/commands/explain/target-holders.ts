import { planAt } from "@headrace/shared/reconcile/decide/plan-at"
import { createReconcileMemory } from "@headrace/shared/reconcile/run/memory"
import type { Answer, Ask } from "@headrace/shared/status/answer"
import { type ClusterSourceFacts, laneKey } from "@headrace/shared/status/fleet-facts"
import { commandLog } from "../../cli/command-log.ts"
import type { Fleet } from "../../cli/open-fleet.ts"
import type { Subject } from "./find-subject.ts"
import type { TipPlan } from "./plans-at-tip.ts"

type File = Extract<Subject, { kind: "file" }>

/**
 * The targets that hold a file, by cluster: by the plan at the tip, where its target is refused by the rules alone, and of a
 * file that the branch has no more also what the record still shows. A cluster whose plan is not known is absent: it may hold it.
 */
export async function targetHolders(
  file: File,
  plans: ReadonlyMap<string, Answer<TipPlan>>,
  { fleet, clusterSources, ask }: { fleet: Fleet; clusterSources: readonly ClusterSourceFacts[]; ask: Ask },
): Promise<Map<string, string[]>> {
  const own = clusterSources.filter(({ source }) => source === file.source)
  const each = await Promise.all(
    own.map(async (place) => {
      const plan = plans.get(laneKey(place.cluster, place.source))
      if (!plan?.known) return undefined
      const held = file.isThere ? [] : await shownHolders(file.path, place, { fleet, ask })
      const holders = new Set([...plannedHolders(file, plan.value), ...held])
      return [place.cluster, [...holders]] as [string, string[]]
    }),
  )
  return new Map(each.filter((one) => one !== undefined))
}

function plannedHolders({ path, isThere }: File, plan: TipPlan): string[] {
  const given = plan.targetsOf(path).filter((target) => !isThere || plan.refused.has(target))
  return [...holdersIn(plan.targets, path), ...given]
}

function holdersIn(targets: TipPlan["targets"], path: string): string[] {
  return [...targets].flatMap(([target, { keys }]) =>
    keys.some(({ file }) => file.path === path) ? [target] : [],
  )
}

/** By the plan of the commit that the record shows; none where that is not known any more. */
async function shownHolders(
  path: string,
  { cluster, source, record }: ClusterSourceFacts,
  { fleet: { reconciler }, ask }: { fleet: Fleet; ask: Ask },
): Promise<string[]> {
  const shown = record.known ? record.value : undefined
  const commit = shown?.commit ?? null
  if (shown === undefined || commit === null) return []
  const plan = await ask(`git, for source ${source},`, async (signal) => {
    const ports = { ...(await reconciler.ports(cluster, source)), log: commandLog("silent") }
    const memory = ports.memory ?? createReconcileMemory()
    return planAt(ports, memory, cluster, { commit, rulesCommit: shown.rulesCommit }, signal)
  })
  return plan.known ? holdersIn(plan.value.targets, path) : []
}
