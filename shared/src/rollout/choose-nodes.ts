import { ALL_NODES, type Candidate } from "../record/rollout-state.ts"
import { nodeHash, takesCandidate } from "../record/takes-candidate.ts"
import type { RolloutSettings } from "../settings/rollout-settings.ts"
import type { ReportedNode } from "./reported-node.ts"

/** Whom a stage is for, and on whom it rests. */
export interface ChosenNodes extends Pick<Candidate, "bound" | "selectors"> {
  /** Names, in order. */
  expected: string[]
  /** They do not count, since something was wrong with them before the candidate came. */
  excluded: { node: string; reason: string }[]
}

/**
 * Chooses the nodes of a stage among those that report. A share takes the nodes whose hash lies below a bound, which is
 * raised until it takes one node that counts; it never takes fewer nodes than the stage before. Pure.
 */
export function chooseNodes(
  source: string,
  nodes: RolloutSettings["stages"][number]["nodes"],
  before: Pick<Candidate, "bound" | "selectors">,
  reported: readonly ReportedNode[],
): ChosenNodes {
  const choice = choiceOf(source, nodes, before, reported)
  const taking = reported.filter(({ node, labels }) => takesCandidate({ source, node, labels }, choice))
  const excluded = taking.flatMap((each) => {
    const reason = whyExcluded(each)
    return reason === undefined ? [] : [{ node: each.node, reason }]
  })
  const expected = taking.filter((each) => whyExcluded(each) === undefined).map(({ node }) => node)
  return { ...choice, expected: expected.sort(), excluded }
}

function choiceOf(
  source: string,
  nodes: RolloutSettings["stages"][number]["nodes"],
  before: Pick<Candidate, "bound" | "selectors">,
  reported: readonly ReportedNode[],
): Pick<Candidate, "bound" | "selectors"> {
  if (nodes === undefined) return { bound: ALL_NODES, selectors: [] }
  if (typeof nodes === "object") return { ...before, selectors: [...before.selectors, nodes.matchLabels] }
  const counting = reported.filter((each) => whyExcluded(each) === undefined)
  const lowest = Math.min(...counting.map(({ node }) => nodeHash(source, node)))
  const atLeastOne = Number.isFinite(lowest) ? lowest + 1 : 0
  const bound = Math.max(Math.floor(nodes * ALL_NODES), atLeastOne, before.bound)
  return { ...before, bound }
}

/** Why a stage does not rest on a node; undefined: it does. */
function whyExcluded({ fresh, answers, keepsBaseline, problem, checks }: ReportedNode): string | undefined {
  if (!fresh) return "it was silent before the candidate came"
  if (!answers) return "its agent does not answer to candidates"
  if (keepsBaseline !== null) return keepsBaseline
  if (problem !== null) return `it failed before the candidate came: ${problem}`
  return checks === "failing" ? "its checks failed before the candidate came" : undefined
}
