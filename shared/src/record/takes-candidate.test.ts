import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ALL_NODES } from "./rollout-state.ts"
import { nodeHash, takesCandidate } from "./takes-candidate.ts"

const NODE = { source: "release", node: "node-1", labels: {} }

describe("takesCandidate", () => {
  it("is for nobody at bound 0 and for everybody at the largest", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (source, node) => {
        expect(takesCandidate({ source, node, labels: {} }, { bound: 0, selectors: [] })).toBe(false)
        expect(takesCandidate({ source, node, labels: {} }, { bound: ALL_NODES, selectors: [] })).toBe(true)
      }),
    )
  })

  it("takes about the share that the bound is of all, and no other nodes when the bound grows", () => {
    const nodes = Array.from({ length: 2000 }, (_, index) => ({ ...NODE, node: `node-${index}` }))
    const taken = (share: number) =>
      nodes.filter((node) => takesCandidate(node, { bound: Math.floor(share * ALL_NODES), selectors: [] }))
    expect(taken(0.05).length).toBeGreaterThan(60)
    expect(taken(0.05).length).toBeLessThan(140)
    expect(taken(0.25)).toEqual(expect.arrayContaining(taken(0.05)))
  })

  it("orders the nodes of each source differently", () => {
    expect(nodeHash("release", "node-1")).not.toBe(nodeHash("other", "node-1"))
  })

  it("takes a node with every label of one selector, and none by an empty one", () => {
    const takes = (selectors: { [label: string]: string }[], labels: { [label: string]: string }) =>
      takesCandidate({ ...NODE, labels }, { bound: 0, selectors })
    expect(takes([{ pool: "canary" }], { pool: "canary", zone: "a" })).toBe(true)
    expect(takes([{ pool: "canary", zone: "b" }], { pool: "canary", zone: "a" })).toBe(false)
    expect(takes([{ pool: "x" }, { zone: "a" }], { pool: "canary", zone: "a" })).toBe(true)
    expect(takes([{}], { pool: "canary" })).toBe(false)
    expect(takes([{ constructor: "x" }], {})).toBe(false)
  })
})
