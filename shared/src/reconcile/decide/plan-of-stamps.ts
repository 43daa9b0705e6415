import type { Run } from "../run/run.ts"
import type { PlanOf } from "../write/write-view.ts"
import type { Aim } from "./aim.ts"
import { planAtStamp } from "./plan-at.ts"

/** What a run asks for the plans that its targets were last stamped with; `aim` gives the rules where a stamp names none. */
export function planOfStamps({ ports, memory, request, signal }: Run, aim: Pick<Aim, "rulesCommit">): PlanOf {
  const { rulesCommit } = aim
  return (stamp) => planAtStamp(ports, memory, request.cluster, { stamp, rulesCommit }, signal)
}
