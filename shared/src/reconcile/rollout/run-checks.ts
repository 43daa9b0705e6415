import type { Candidate } from "../../record/rollout-state.ts"
import { tokenText } from "../../record/token.ts"
import type { CheckedEndpoint } from "../../rollout/judge-stage.ts"
import { checkName, checksOf, type PolicyCheck } from "../../rollout/policy-checks.ts"
import { checkedEndpoint, isDue, type WatchedCheck } from "../../rollout/watched-checks.ts"
import type { RolloutPorts } from "../run/rollout-ports.ts"
import type { Run } from "../run/run.ts"

/** Where a candidate is: in a stage whose bake time is over or not, or before its first one. */
export type CheckedPhase = { kind: "before" } | { kind: "stage"; baked: boolean }

/**
 * Asks the checks of the policy that are due, side by side, and gives the last answer of each. An answer from before the
 * stage began is none of the stage's.
 */
export async function runChecks(
  run: Run,
  { policy, ask }: RolloutPorts,
  candidate: Candidate,
  phase: CheckedPhase,
): Promise<CheckedEndpoint[]> {
  const { memory, ports, request, signal } = run
  const checks = checksOf(policy.health)
  if (checks.length === 0) return []
  const stage = phase.kind === "before" ? phase.kind : candidate.stage + 1
  const key = `${tokenText(candidate.token)} ${candidate.root} ${stage}`
  const before = memory.checks.get(request.cluster)
  const last = before?.key === key ? before.checks : []
  const look = { now: ports.clock.now(), baked: phase.kind === "stage" && phase.baked }
  const asked = await Promise.all(checks.map((check, at) => answerOf(check, last[at])))
  memory.checks.set(request.cluster, { key, checks: asked.map(([, watched]) => watched) })
  return asked.map(([check, watched]) => checkedEndpoint(check, watched))

  async function answerOf(check: PolicyCheck, was: WatchedCheck | undefined) {
    if (was !== undefined && !isDue(check, was, look)) return [check, was] as const
    const answer = await ask(check, signal)
    if (!answer.passes && was?.answer.passes !== false) {
      ports.log.warn({ check: checkName(check), why: answer.why, stage }, "a check of the rollout fails")
    }
    return [check, { at: look.now, baked: look.baked, answer }] as const
  }
}

/** What is red before a candidate's first stage, which waits for it: the candidate is not to blame. */
export async function redBefore(run: Run, rollout: RolloutPorts, candidate: Candidate): Promise<string[]> {
  const endpoints = await runChecks(run, rollout, candidate, { kind: "before" })
  return endpoints.flatMap(({ name, state, why }) =>
    state === "passing" ? [] : [`${name}: ${why} (before the rollout begins)`],
  )
}
