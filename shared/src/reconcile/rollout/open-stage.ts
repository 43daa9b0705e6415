import { canonicalJson } from "../../foundation/canonical-json.ts"
import { sha256 } from "../../foundation/digest.ts"
import type { Candidate } from "../../record/rollout-state.ts"
import type { NodesIndex } from "../../record/store-index.ts"
import { EVERY_NODE, openedRecord } from "../../rollout/changed-records.ts"
import { type ChosenNodes, chooseNodes } from "../../rollout/choose-nodes.ts"
import { wholeStageOf } from "../../rollout/policy.ts"
import type { ReportedNode } from "../../rollout/reported-node.ts"
import { type RecordState, swapState } from "../record/swap-record.ts"
import type { RolloutPorts } from "../run/rollout-ports.ts"
import type { Run } from "../run/run.ts"
import { ensureStored } from "../write/store-objects.ts"
import { writeCandidateView } from "./write-candidate-view.ts"

/** How long agents have to answer that they know of a candidate, before those that do not are left out. */
const ANSWER_MS = 10_000

/**
 * `again`: the record moved on. `waits`: for agents that have not answered yet. `changed`: what the candidate is made of
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
  wanted: number,
): Promise<Opened> {
  const { ports, request } = run
  const reported = await rollout.nodes(run.signal)
  const now = ports.clock.now()
  const unanswered = reported.filter(({ fresh, answers }) => fresh && !answers)
  const waited = now - Date.parse(candidate.since)
  if (unanswered.length > 0 && waited >= 0 && waited < ANSWER_MS) {
    return {
      kind: "waits",
      why: unanswered.map(({ node }) => `node ${node}: its agent has not answered yet`).join(", "),
    }
  }
  const whole = wholeStageOf(rollout.policy, request.cluster)
  const stage = reported.length === 0 ? whole : wanted
  const chosen = choose(run, rollout, candidate, stage, reported)
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
  const next = openedRecord(base.record, candidate, opened)
  const swapped = await swapState(run, base, view ? { ...next, ...view.found } : next)
  if (swapped === undefined) return { kind: "again" }
  const { excluded } = chosen
  ports.log.info({ stage: stage + 1, nodes: chosen.expected.length, excluded }, "stage of a rollout began")
  return { kind: "opened", state: swapped }
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
