import { ALL_NODES, type Candidate } from "../record/rollout-state.ts"
import { nodeHash, takesCandidate } from "../record/takes-candidate.ts"
import type { RolloutSettings } from "../settings/rollout-settings.ts"
import type { ReportedNode } from "./reported-node.ts"

/** Whom a stage is for, and on whom it rests. */
export interface ChosenNodes extends Pick<Candidate, "bound" | "selectors"> {
  /** Names, in order. */
  expected: string[]
  /** It reaches them and does not rest on them, for what was so before the candidate came. */
  excluded: LeftOut[]
  /** Those of the excluded that show the candidate as soon as they are well. */
  ill: LeftOut[]
}

interface LeftOut {
  node: string
  reason: string
}

/** Of a share times a number of nodes, which has errors in its last digits: 0.29 × 100 is 28.999999999999996. */
const ROUNDING = 1e-9

/**
 * Chooses the nodes of a stage among those that report. A share takes that many nodes, rounded down but at least one, in
 * the order of their hashes; it never takes fewer than the stage before. Nodes that are ill count in the fleet and in the
 * share: a stage reaches no others in their place. Pure.
 */
export function chooseNodes(
  source: string,
  nodes: RolloutSettings["stages"][number]["nodes"],
  before: Pick<Candidate, "bound" | "selectors">,
  reported: readonly ReportedNode[],
): ChosenNodes {
  const choice = choiceOf(source, nodes, before, reported)
  const taking = reported.filter(({ node, labels }) => takesCandidate({ source, node, labels }, choice))
  const excluded = taking.flatMap((each) => leftOut(each))
  const expected = taking.filter((each) => whyExcluded(each) === undefined).map(({ node }) => node)
  const ill = taking.filter(isInFleet).flatMap((each) => leftOut(each))
  return { ...choice, expected: expected.sort(), excluded, ill }
}

function choiceOf(
  source: string,
  nodes: RolloutSettings["stages"][number]["nodes"],
  before: Pick<Candidate, "bound" | "selectors">,
  reported: readonly ReportedNode[],
): Pick<Candidate, "bound" | "selectors"> {
  if (nodes === undefined) return { bound: ALL_NODES, selectors: [] }
  if (typeof nodes === "object") return { ...before, selectors: [...before.selectors, nodes.matchLabels] }
  const hashes = reported.filter(isInFleet).map(({ node }) => nodeHash(source, node))
  const count = Math.max(1, Math.floor(nodes * hashes.length + ROUNDING))
  const last = hashes.sort((a, b) => a - b).at(count - 1)
  // Without a fleet no node that is known takes it.
  const bound = last === undefined ? Math.floor(nodes * ALL_NODES) : last + 1
  return { ...before, bound: Math.max(bound, before.bound) }
}

/**
 * True for a node that shows candidates when it is well. A silent one may, whatever its last report was; one that reports
 * and does not answer has an agent of an earlier version.
 */
function isInFleet({ fresh, answers, keepsBaseline }: ReportedNode): boolean {
  return keepsBaseline === null && (answers || !fresh)
}

function leftOut(node: ReportedNode): LeftOut[] {
  const reason = whyExcluded(node)
  return reason === undefined ? [] : [{ node: node.node, reason }]
}

/** Why a stage does not rest on a node; undefined: it does. */
function whyExcluded({ fresh, answers, keepsBaseline, problem, checks }: ReportedNode): string | undefined {
  if (!fresh) return "it was silent before the candidate came"
  if (!answers) return "its agent does not answer to candidates"
  if (keepsBaseline !== null) return keepsBaseline
  if (problem !== null) return `it failed before the candidate came: ${problem}`
  return checks === "failing" ? "its checks failed before the candidate came" : undefined
}
