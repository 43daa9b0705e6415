import { hasCode } from "../../foundation/errors.ts"
import type { SourceRecord } from "../../record/record.ts"
import { type Candidate, isOpened } from "../../record/rollout-state.ts"
import { listNodes } from "../../record/walk-index.ts"
import { judgeStage, type Verdict } from "../../rollout/judge-stage.ts"
import { watchStage } from "../../rollout/watched-stage.ts"
import type { RolloutPorts } from "../run/rollout-ports.ts"
import type { Run } from "../run/run.ts"
import { indexReader } from "../store/read-store.ts"
import { runChecks } from "./run-checks.ts"

/** Looks at the nodes of the stage that is open here, asks the policy's checks, and judges it. Undefined: none is open. Throws KubeError. */
export async function judgeOpenStage(
  run: Run,
  rollout: RolloutPorts,
  { candidate }: SourceRecord,
): Promise<Verdict | undefined> {
  if (candidate === null || !isOpened(candidate)) return undefined
  const { memory, ports, request } = run
  const bake = rollout.policy.stages[candidate.stage]?.bake ?? 0
  const expected = await expectedNodes(run, candidate)
  if (expected === undefined) return { kind: "waiting", holdUp: ["the list of the stage's nodes is lost"] }
  const reported = await rollout.nodes(run.signal)
  const look = { expected, reported, now: ports.clock.now(), bake }
  const watched = watchStage(memory.stages.get(request.cluster), candidate, look)
  memory.stages.set(request.cluster, watched)
  const phase = { kind: "stage" as const, baked: watched.watched >= bake }
  const endpoints = await runChecks(run, rollout, candidate, phase)
  return judgeStage({ health: rollout.policy.health, bake }, watched, endpoints)
}

async function expectedNodes(run: Run, { expected }: Candidate): Promise<readonly string[] | undefined> {
  if (expected.nodes === null) return []
  try {
    return (await listNodes(expected.nodes, indexReader(run.ports, run.memory, run.signal))).expected
  } catch (error) {
    if (hasCode(error, "store/") || hasCode(error, "bundle/")) return undefined
    throw error
  }
}
