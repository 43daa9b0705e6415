import { join } from "node:path"
import { PLAIN } from "@headrace/shared/command-line/paint"
import { explainNode, leasesOfNode } from "@headrace/shared/status/explain-node"
import { explanationText } from "@headrace/shared/status/explanation-text"
import { laneKey } from "@headrace/shared/status/fleet-facts"
import { judgeFleet } from "@headrace/shared/status/judge-fleet"
import { describe, expect, it } from "vitest"
import { CONTEXT, explainNew, type Fault, factsOf, NODE_BEFORE, NOW } from "../../harness/faulty-fleet.ts"
import { NODE_FAULTS } from "./node-faults.ts"
import { RECORD_FAULTS } from "./record-faults.ts"
import { REDIS_FAULTS } from "./redis-faults.ts"
import { testNames } from "./test-names.ts"

const ALL = [...RECORD_FAULTS, ...NODE_FAULTS, ...REDIS_FAULTS]

const SINCE = "2026-11-28T13:58:00Z"

/** Tests of test/fault after which nothing is wrong that a commit could wait for. */
const NOTHING_TO_EXPLAIN = [
  "empty-node: shows a complete revision after a restart",
  "frozen-worker: goes on after a nap",
  "killed-worker: does not take a worker for dead",
  "redis-faults: is emptied without a restart",
  "redis-faults: is emptied lets no two workers",
  "redis-topologies: a master that its sentinels replace",
  "redis-topologies: a replica that takes over",
  "redis-topologies: a Redis Cluster",
  "redis-trouble: are in docs/reference/redis.md",
  "redis-trouble: are those of every script",
  "redis-trouble: gives its user exactly the documented rights",
]

describe("explain of a commit", () => {
  it.each(ALL.map((one) => [one.what, one] as const))("with %s", async (_, { fault, answer, says }) => {
    const explained = await explainNew(factsOf(fault))
    expect(explained.answer).toMatch(answer)
    const text = explanationText(explained, PLAIN)
    for (const part of says) expect(flat(text)).toMatch(part)
    expect(text.split("\n").every((line) => line.length <= 80)).toBe(true)
    expect(text.split("\n").length).toBeLessThan(25)
  })

  it("without a fault", async () => {
    const explained = await explainNew(factsOf({}))
    expect(explained.answer).toBe("live everywhere")
    const text = flat(explanationText(explained, PLAIN))
    expect(text).toMatch(/live on 1\/1 nodes/)
    expect(text).toMatch(/push guid-1 arrived/)
  })

  it("is known for every fault that a fault test injects", () => {
    const known = [...ALL.flatMap(({ of }) => of), ...NOTHING_TO_EXPLAIN]
    const injected = testNames(join(import.meta.dirname, ".."))
    expect(injected.length).toBeGreaterThan(30)
    expect(injected.filter((name) => !known.some((start) => name.startsWith(start)))).toEqual([])
    expect(known.filter((start) => !injected.some((name) => name.startsWith(start)))).toEqual([])
  })
})

describe("status", () => {
  it.each(REDIS_FAULTS.map(({ what, fault }) => [what, fault] as const))(
    "says what to do about %s",
    (_, fault) => {
      const { level, findings } = judgeFleet(factsOf(fault), CONTEXT)
      expect(level).toBe("trouble")
      expect(findings).toMatchObject([{ kind: "redis", advice: expect.stringMatching(/\.$/) }])
    },
  )

  it("brings clusters past a Redis that is full", () => {
    const { findings } = judgeFleet(factsOf({ redis: "full" }), CONTEXT)
    expect(findings).toMatchObject([
      { advice: expect.stringContaining("more memory"), command: "headrace-bootstrapper apply --direct" },
    ])
  })
})

describe("status of failed targets", () => {
  const TARGETS = [
    ["ci/rights", "kube/forbidden: may not write"],
    ["ci/webhook", "reconcile/changed-on-write: changed"],
    ["ci/keys", "two files have the key x [plan/duplicate-key]"],
  ]

  function status(retry: number | undefined) {
    const failed = TARGETS.map(([target = "", reason = ""]) => ({ target, reason, since: SINCE }))
    const facts = factsOf({ record: { failed } })
    const lanes = facts.lanes?.known ? facts.lanes.value : undefined
    if (retry !== undefined && lanes) lanes.retries = new Map([[laneKey("east", "release"), retry]])
    return judgeFleet(facts, CONTEXT)
  }

  const said = (retry: number | undefined) =>
    status(retry).clusterSources[0]?.findings.map(({ subject, advice }) => [subject, advice?.split(". ")[0]])

  it("says when each is tried next, and what to do", () => {
    const at = "Tried again at 2026-11-28T14:00:25Z (in 25 s)"
    expect(said(NOW + 25_400)).toEqual([
      ["ci/rights", at],
      ["ci/webhook", at],
      ["ci/keys", expect.stringContaining("Tried again with the next commit")],
    ])
    expect(said(NOW - 1)?.[0]).toEqual(["ci/rights", "Tried again now"])
    const { format, clusterSources } = status(NOW + 25_400)
    expect([format, clusterSources[0]?.failed]).toMatchObject([
      5,
      [
        { retry: "soon", next: "2026-11-28T14:00:25.400Z", remedy: expect.stringMatching(/\w\.$/) },
        { retry: "rarely", next: "2026-11-28T14:00:25.400Z" },
        { retry: "never" },
      ],
    ])
    expect(clusterSources[0]?.failed[2]).not.toHaveProperty("next")
  })

  it("says how it is tried where Redis does not know when", () => {
    expect(said(undefined)?.slice(0, 2)).toEqual([
      ["ci/rights", expect.stringContaining("Tried again within a minute")],
      ["ci/webhook", expect.stringContaining("Tried again every five minutes")],
    ])
    expect(status(undefined).format).toBe(1)
  })
})

describe("explain of a node", () => {
  function explained(node: NonNullable<Fault["node"]>): string {
    const facts = factsOf({ node })
    const of = explainNode(judgeFleet(facts, CONTEXT), "node-1", leasesOfNode(facts, "node-1"), CONTEXT)
    return flat(explanationText(of, PLAIN))
  }

  const since = "2026-11-28T13:50:00Z"

  it("says what it shows, why it waits, and where to look", () => {
    const waits = { code: "projection/waits", message: "waits for ci/x", since }
    const text = explained({ ...NODE_BEFORE, problem: waits })
    expect(text).toContain("✗ node node-1: jobs at /jobs: shows aaaaaaaaaaaa")
    expect(text).toContain(
      "it waits since 2026-11-28T13:50:00Z (10 min ago): waits for ci/x [projection/waits]",
    )
    expect(text).toContain("field-selector=spec.nodeName=node-1")
  })

  it("names the command that ends a pin", () => {
    const pinned = { code: "publish/pinned", message: "/jobs is pinned to 3: incident 43", since }
    const text = explained({ ...NODE_BEFORE, path: "/my jobs", problem: pinned })
    expect(text).toContain("incident 43 [publish/pinned]")
    expect(text).toContain("→ headrace-agent unpin '/my jobs'")
  })
})

function flat(text: string): string {
  return text.replaceAll("\\\n", "").replace(/\s+/g, " ")
}
