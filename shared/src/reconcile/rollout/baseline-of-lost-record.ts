import pLimit from "p-limit"
import { HeadraceError, hasCode } from "../../foundation/errors.ts"
import { readConfigMap } from "../../kube/read-config-map.ts"
import { goalAt, type Tips } from "../decide/desired-revision.ts"
import { planAt } from "../decide/plan-at.ts"
import { newestCredible } from "../decide/survey-targets.ts"
import type { ClusterPlan } from "../run/cluster-plan.ts"
import type { Run } from "../run/run.ts"
import { markedRoots } from "../store/last-roots.ts"
import { readStamp, type Stamp } from "../target/ownership.ts"

const CONCURRENT_READS = 6

/**
 * What a record that shows nothing begins with, where no other cluster says it: the newest commit that targets are stamped
 * with, those that the tip refuses among them, since they keep what they hold. Never the tip, which no stage has tried, unless
 * nothing of the source was ever shown here. Throws `rollout/baseline-unknown`, `rules/…`, `kube/…`.
 */
export async function baselineTips(run: Run, tips: Tips): Promise<Tips> {
  const { ports, memory, request, signal } = run
  const goal = goalAt(tips, undefined)
  const desired = { ...goal, token: { epoch: 0, seq: 0 } }
  const plan = await planAt(ports, memory, request.cluster, desired, signal)
  const newest = await newestCredible(ports, await stampsOf(run, plan), signal)
  if (newest) return { ...tips, source: { commit: newest.commit, seq: newest.token.seq } }
  if ((await markedRoots(ports, request.source, signal)).length === 0) return tips
  throw new HeadraceError(
    "rollout/baseline-unknown",
    `the record of ${request.source} in cluster ${request.cluster} is lost, and nothing says which commit was in force`,
    { hint: "Run rewind --to COMMIT with the commit that is to be shown: no stage has tried the tip." },
  )
}

/** The source's stamps on the named ConfigMaps of a plan. A namespace that may not be read says nothing. */
async function stampsOf({ ports, request, signal }: Run, plan: ClusterPlan): Promise<Stamp[]> {
  const limit = pLimit(CONCURRENT_READS)
  const named = [...plan.targets].flatMap(([place, { view }]) => (view ? place : []))
  const stamps = [...named, ...plan.refused.keys()].map((place) => limit(() => stampAt(place)))
  return (await Promise.all(stamps)).filter((stamp) => stamp !== undefined)

  async function stampAt(place: string): Promise<Stamp | undefined> {
    const [namespace = "", name = ""] = place.split("/")
    const configMap = await readConfigMap(ports, { namespace, name }, signal).catch((error: unknown) => {
      if (!hasCode(error, "kube/forbidden")) throw error
      return undefined
    })
    const stamp = configMap && readStamp(configMap)
    return stamp?.source === request.source ? stamp : undefined
  }
}
