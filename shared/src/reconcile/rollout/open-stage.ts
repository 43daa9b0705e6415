import { canonicalJson } from "../../foundation/canonical-json.ts"
import { sha256 } from "../../foundation/digest.ts"
import type { Candidate } from "../../record/rollout-state.ts"
import type { NodesIndex } from "../../record/store-index.ts"
import { EVERY_NODE, openedRecord } from "../../rollout/changed-records.ts"
import { type ChosenNodes, chooseNodes } from "../../rollout/choose-nodes.ts"
import { wholeStageOf } from "../../rollout/policy.ts"
import { checksOf } from "../../rollout/policy-checks.ts"
import type { ReportedNode } from "../../rollout/reported-node.ts"
import { rejectionOf } from "../../rollout/seen-clusters.ts"
import { type RecordState, swapState } from "../record/swap-record.ts"
import type { RolloutPorts } from "../run/rollout-ports.ts"
import type { Run } from "../run/run.ts"
import { ensureStored } from "../write/store-objects.ts"
import { seeClusters } from "./see-clusters.ts"
import { writeCandidateView } from "./write-candidate-view.ts"

/** How long agents have to answer that they know of a candidate, or to get well, before a stage rests on the others alone. */
const ANSWER_MS = 10_000

/** What was read of the other clusters counts for so long: to write the named ConfigMaps may take minutes. */
const OLD_MS = 2000

/** Which stage is to begin; `hurried`: an operator has it begin whatever is wrong with its nodes. */
export interface WantedStage {
  stage: number
  hurried: boolean
}

/**
 * `again`: the record moved on. `waits`: for agents that have not answered yet, or are ill. `changed`: what the candidate is made of
 * cannot be planned any more, as the settings have changed under it.
 */
export type Opened =
  | { kind: "again" }
  | { kind: "opened"; state: RecordState }
  | { kind: "waits" | "changed"; why: string }

/**
 * Begins a stage: chooses its nodes among those that report, and swaps. The stage that is for all nodes of the cluster
 * writes the named ConfigMaps before that, so that its bake time observes their readers too. Where no agent reports, the
 * cluster is one stage as a whole.
 */
export async function openStage(
  run: Run,
  rollout: RolloutPorts,
  state: RecordState,
  candidate: Candidate,
  wanted: WantedStage,
): Promise<Opened> {
  const { ports, request } = run
  const reported = await rollout.nodes(run.signal)
  const now = ports.clock.now()
  const whole = wholeStageOf(rollout.policy, request.cluster)
  const stage = reported.length === 0 ? whole : wanted.stage
  const chosen = choose(run, rollout, candidate, stage, reported)
  const waited = now - Date.parse(candidate.since)
  const holdUp = [
    ...(waited >= 0 && waited < ANSWER_MS ? notReady(reported, chosen, wanted) : []),
    ...(wanted.hurried ? [] : nothingToRestOn(rollout, candidate, reported, chosen)),
  ]
  if (holdUp.length > 0) return { kind: "waits", why: [...new Set(holdUp)].join(", ") }
  const view = stage === whole ? await writeCandidateView(run, state, candidate) : undefined
  if (view === "again") return { kind: "again" }
  if (view === "changed")
    return { kind: "changed", why: "its rules mean something else under these settings" }
  const base = view?.state ?? state
  const opened = {
    stage,
    bound: chosen.bound,
    selectors: chosen.selectors,
    expected: { count: chosen.expected.length, nodes: await storeNodes(run, chosen) },
    since: new Date(now).toISOString(),
    view: view !== undefined || candidate.view,
  }
  if (ports.clock.now() - now > OLD_MS && (await isRejectedNow(run, rollout, base, candidate)))
    return { kind: "again" }
  const next = openedRecord(base.record, candidate, opened)
  const swapped = await swapState(run, base, view ? { ...next, ...view.found } : next)
  if (swapped === undefined) return { kind: "again" }
  const { excluded } = chosen
  ports.log.info({ stage: stage + 1, nodes: chosen.expected.length, excluded }, "stage of a rollout began")
  return { kind: "opened", state: swapped }
}

/** What may be over in a moment: agents that have not seen the candidate yet, or go back from the one before. */
function notReady(
  reported: readonly ReportedNode[],
  { ill }: ChosenNodes,
  { hurried }: WantedStage,
): string[] {
  const unanswered = reported.filter(({ fresh, answers }) => fresh && !answers)
  const recovering = hurried
    ? []
    : ill.filter(({ node }) => reported.some((one) => one.node === node && one.fresh))
  return [
    ...unanswered.map(({ node }) => `node ${node}: its agent has not answered yet`),
    ...recovering.map(({ node, reason }) => `node ${node}: ${reason}`),
  ]
}

/**
 * Why nothing could judge a stage that reaches something. Its nodes may all be ill. Or no agent reports, though a stage
 * rested on some before: they come back, and would show what no stage has tried.
 */
function nothingToRestOn(
  { policy }: RolloutPorts,
  { expected }: Candidate,
  reported: readonly ReportedNode[],
  chosen: ChosenNodes,
): string[] {
  if (chosen.expected.length > 0) return []
  if (chosen.ill.length > 0) return chosen.ill.map(({ node, reason }) => `node ${node}: ${reason}`)
  if (reported.length === 0 && expected.count > 0)
    return [`no agent reports any more; the stage before rested on ${expected.count}`]
  const hasChecks = checksOf(policy.health).length > 0
  return hasChecks ? [] : ["no node to judge by, and no http or prometheus check"]
}

/** True where the candidate was rejected while its ConfigMaps were written, or this process was paused. */
async function isRejectedNow(
  run: Run,
  rollout: RolloutPorts,
  state: RecordState,
  candidate: Candidate,
): Promise<boolean> {
  return rejectionOf(await seeClusters(run, rollout, state), candidate) !== undefined
}

function choose(
  { request }: Run,
  { policy }: RolloutPorts,
  candidate: Candidate,
  stage: number,
  reported: readonly ReportedNode[],
): ChosenNodes {
  const { nodes } = policy.stages[stage] ?? {}
  const chosen = chooseNodes(request.source, nodes, candidate, reported)
  return nodes === undefined ? { ...chosen, ...EVERY_NODE, selectors: [] } : chosen
}

/** The names as an object of the store, since thousands do not fit a record. Null where there are none. */
async function storeNodes(
  { ports, signal }: Run,
  { expected, excluded }: ChosenNodes,
): Promise<string | null> {
  if (expected.length === 0) return null
  const index: NodesIndex = { format: 1, kind: "nodes", expected, excluded }
  const payload = Buffer.from(canonicalJson(index))
  const digest = sha256(payload)
  await ensureStored(ports, { kind: "index", digest, payload }, signal)
  return digest
}
