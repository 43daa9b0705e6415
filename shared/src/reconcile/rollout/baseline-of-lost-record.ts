import { HeadraceError } from "../../foundation/errors.ts"
import { goalAt, type Tips } from "../decide/desired-revision.ts"
import { planAt, planOfStamps } from "../decide/plan-at.ts"
import { surveyTargets } from "../decide/survey-targets.ts"
import type { Run } from "../run/run.ts"
import { markedRoots } from "../store/last-roots.ts"

/**
 * What a record that shows nothing begins with, where no other cluster says it: the newest commit that targets are stamped
 * with. Never the tip, which no stage has tried, unless nothing of the source was ever shown here. Throws
 * `rollout/baseline-unknown`, `rules/…`, `kube/…`.
 */
export async function baselineTips(run: Run, tips: Tips): Promise<Tips> {
  const { ports, memory, request, signal } = run
  const goal = goalAt(tips, undefined)
  const desired = { ...goal, token: { epoch: 0, seq: 0 } }
  const plan = await planAt(ports, memory, request.cluster, desired, signal)
  const planOf = planOfStamps(run, desired)
  const { newest } = await surveyTargets(ports, { source: request.source, plan, planOf }, signal)
  if (newest) return { ...tips, source: { commit: newest.commit, seq: newest.token.seq } }
  if ((await markedRoots(ports, request.source, signal)).length === 0) return tips
  throw new HeadraceError(
    "rollout/baseline-unknown",
    `the record of ${request.source} in cluster ${request.cluster} is lost, and nothing says which commit was in force`,
    { hint: "Run rewind --to COMMIT with the commit that is to be shown: no stage has tried the tip." },
  )
}
