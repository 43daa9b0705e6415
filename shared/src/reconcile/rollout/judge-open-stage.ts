import { errorMessage, hasCode } from "../../foundation/errors.ts"
import type { SourceRecord } from "../../record/record.ts"
import { type Candidate, isOpened } from "../../record/rollout-state.ts"
import { listNodes } from "../../record/walk-index.ts"
import { judgeStage, type Verdict } from "../../rollout/judge-stage.ts"
import { watchStage } from "../../rollout/watched-stage.ts"
import type { RolloutPorts } from "../run/rollout-ports.ts"
import type { Run } from "../run/run.ts"
import { indexReader } from "../store/read-store.ts"
import { runChecks } from "./run-checks.ts"

/**
 * Reads the reports of the nodes of the stage that is open here, asks the policy's checks, and judges it. Undefined: none
 * is open. Reports that cannot be read hold the stage up: what other clusters have rejected is obeyed all the same.
 */
export async function verdictOf(
  run: Run,
  rollout: RolloutPorts,
  record: SourceRecord,
): Promise<Verdict | undefined> {
  try {
    return await judgeOpenStage(run, rollout, record)
  } catch (error) {
    run.signal.throwIfAborted()
    if (!hasCode(error, "kube/")) throw error
    return { kind: "waiting", holdUp: [`reports of nodes cannot be read: ${errorMessage(error)}`] }
  }
}

async function judgeOpenStage(
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
