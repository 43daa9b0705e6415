import { describe, expect, it } from "vitest"
import { nodeHash, takesCandidate } from "../record/takes-candidate.ts"
import { chooseNodes } from "./choose-nodes.ts"
import type { ReportedNode } from "./reported-node.ts"

const SOURCE = "release"
const FIRST = { bound: 0, selectors: [] }

/** Twenty nodes, in the order in which a growing bound reaches them. */
function fleet(): ReportedNode[] {
  const names = Array.from({ length: 20 }, (_, index) => `node-${index}`)
  const inOrder = names.sort((a, b) => nodeHash(SOURCE, a) - nodeHash(SOURCE, b))
  return inOrder.map((node) => ({
    node,
    labels: {},
    version: "1",
    fresh: true,
    answers: true,
    keepsBaseline: null,
    shown: null,
    checks: "none",
    failed: null,
    problem: null,
  }))
}

function reachedBy(nodes: readonly ReportedNode[], choice: ReturnType<typeof chooseNodes>): string[] {
  return nodes
    .filter(({ node, labels }) => takesCandidate({ source: SOURCE, node, labels }, choice))
    .map(({ node }) => node)
}

const ILL: readonly [string, Partial<ReportedNode>][] = [
  ["returned from the candidate before", { problem: "it shows the revision before [projection/returned]" }],
  ["are silent", { fresh: false }],
  ["are silent and never saw a rollout", { fresh: false, answers: false }],
  ["fail a check of what is in force", { checks: "failing" }],
]

describe("a share of the nodes", () => {
  it.each([
    [0.05, 1],
    [0.01, 1],
    [0.25, 5],
    [0.29, 5],
    [0.35, 7],
    [1, 20],
  ])("of %d of twenty reaches %d, whatever their hashes are", (share, count) => {
    const nodes = fleet()
    const choice = chooseNodes(SOURCE, share, FIRST, nodes)
    expect(reachedBy(nodes, choice)).toEqual(nodes.slice(0, count).map(({ node }) => node))
    expect(choice.expected).toHaveLength(count)
  })

  it.each(ILL)("reaches no more because nodes %s, and rests on none of those", (_why, illness) => {
    const nodes = fleet().map((node, place) => (place < 12 ? { ...node, ...illness } : node))
    const choice = chooseNodes(SOURCE, 0.25, FIRST, nodes)
    expect(reachedBy(nodes, choice)).toHaveLength(5)
    expect(choice.expected).toEqual([])
    expect(choice.ill.map(({ node }) => node).sort()).toEqual(
      nodes
        .slice(0, 5)
        .map(({ node }) => node)
        .sort(),
    )
  })

  it("leaves out of the fleet what never takes a candidate", () => {
    const nodes = fleet().map((node, place) => {
      if (place < 5) return { ...node, keepsBaseline: "it is pinned" }
      return place < 10 ? { ...node, answers: false } : node
    })
    const choice = chooseNodes(SOURCE, 0.25, FIRST, nodes)
    expect(choice.expected).toEqual([nodes[10]?.node, nodes[11]?.node].sort())
    expect(choice.ill).toEqual([])
    expect(choice.excluded).toHaveLength(10)
  })

  it("never takes fewer nodes than the stage before", () => {
    const nodes = fleet()
    const before = chooseNodes(SOURCE, 0.5, FIRST, nodes)
    expect(chooseNodes(SOURCE, 0.25, before, nodes).bound).toBe(before.bound)
  })
})
