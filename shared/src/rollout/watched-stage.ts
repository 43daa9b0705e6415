import type { Candidate } from "../record/rollout-state.ts"
import { compareTokens, tokenText } from "../record/token.ts"
import type { ReportedNode } from "./reported-node.ts"

/** Between two looks no more time counts than this: what is longer was a pause of ours, or of the API server. */
const MOST_BETWEEN_LOOKS_MS = 10_000

/**
 * What one process has seen of a stage since it began to look. Time counts only while it looks: so no clock of another
 * machine, no pause and no outage shortens a bake time or makes a node late. Losing it costs time alone.
 */
export interface WatchedStage {
  /** Which stage of which candidate this is of. */
  key: string
  /** Milliseconds of the last look, and how many have counted since the first. */
  at: number
  watched: number
  nodes: ReadonlyMap<string, WatchedNode>
}

export interface WatchedNode {
  version: string
  /** Milliseconds for which it has not shown the candidate with a report that keeps coming. */
  unmet: number
  /** True: a report in which everything was right has come since the bake time was over. */
  confirmed: boolean
  /** What it reports, as of the last look. */
  state: NodeState
}

/** `shows`: the candidate, with nothing against it. */
export type NodeState = { kind: "shows" } | { kind: "waits"; why: string } | { kind: "failed"; why: string }

/** The same stage after one more look, at `now` in milliseconds. Pure. */
export function watchStage(
  before: WatchedStage | undefined,
  candidate: Candidate,
  look: { expected: readonly string[]; reported: readonly ReportedNode[]; now: number; bake: number },
): WatchedStage {
  const { now, bake } = look
  const key = `${tokenText(candidate.token)} ${candidate.root} ${candidate.stage}`
  const last = before?.key === key ? before : undefined
  const passed = last ? Math.min(Math.max(0, now - last.at), MOST_BETWEEN_LOOKS_MS) : 0
  const watched = (last?.watched ?? 0) + passed
  const baked = last !== undefined && last.watched >= bake
  const byName = new Map(look.reported.map((each) => [each.node, each]))
  const nodes = look.expected.map((node) => {
    const report = byName.get(node)
    const was = last?.nodes.get(node)
    const state = stateOf(report, candidate)
    const isNew = report !== undefined && report.version !== was?.version
    const version = report?.version ?? ""
    const isMet = state.kind === "shows" && (isNew || was === undefined)
    const unmet = isMet ? 0 : (was?.unmet ?? 0) + passed
    const confirmed =
      state.kind === "shows" && ((was?.confirmed ?? false) || (baked && isNew && was !== undefined))
    return [node, { version, unmet, confirmed, state }] as const
  })
  return { key, at: now, watched, nodes: new Map(nodes) }
}

/** What a report says of this candidate, and of no other revision. */
function stateOf(report: ReportedNode | undefined, candidate: Candidate): NodeState {
  if (report === undefined) return { kind: "waits", why: "it is gone" }
  const { failed, shown, checks, problem } = report
  if (failed && isOf(failed, candidate)) return { kind: "failed", why: failed.why }
  if (!shown || !isOf(shown, candidate)) {
    return { kind: "waits", why: problem === null ? "it does not show the candidate" : problem }
  }
  if (checks === "failing") return { kind: "failed", why: "its checks fail" }
  if (checks === "pending") return { kind: "waits", why: "its checks have not passed yet" }
  return problem === null ? { kind: "shows" } : { kind: "waits", why: problem }
}

function isOf(of: { token: Candidate["token"]; root: string | null }, { token, root }: Candidate): boolean {
  return compareTokens(of.token, token) === 0 && of.root === root
}
