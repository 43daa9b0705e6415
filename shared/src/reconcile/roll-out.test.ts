import { rolloutWorld, runFor, SOURCE } from "@headrace/test/model/rollouts/rollout-world"
import { describe, expect, it } from "vitest"
import { returnFailed } from "./return-failed.ts"

const TWO_STAGES = {
  stages: [{ nodes: "25%", bake: "3s" }, { bake: "3s" }],
  health: { nodes: { within: "20s" } },
}

async function shownBy(world: ReturnType<typeof rolloutWorld>, cluster: string) {
  return [...world.cluster(cluster).nodes.values()].map(({ shown }) => shown?.commit)
}

describe("a rollout in one cluster", () => {
  it("shows the first commit whole, and the next one by stages, then everywhere", async () => {
    const world = rolloutWorld({ east: 8 }, TWO_STAGES)
    const first = world.repository.tip()
    await runFor(world, 2)
    expect(new Set(await shownBy(world, "east"))).toEqual(new Set([first]))
    const second = world.commit("works")
    await runFor(world, 3)
    const some = await shownBy(world, "east")
    expect(some).toContain(first)
    expect(some).toContain(second)
    expect((await world.record("east"))?.commit).toBe(first)
    await runFor(world, 15)
    expect(new Set(await shownBy(world, "east"))).toEqual(new Set([second]))
    expect(await world.record("east")).toMatchObject({
      commit: second,
      candidate: null,
      previous: null,
      intents: [],
    })
  })

  it("returns what fails, shows it on no other node, and takes the next commit", async () => {
    const world = rolloutWorld({ east: 8 }, TWO_STAGES)
    const first = world.repository.tip()
    await runFor(world, 2)
    const bad = world.commit("fails")
    await runFor(world, 10)
    expect(await world.record("east")).toMatchObject({
      commit: first,
      candidate: null,
      rejected: { commit: bad },
    })
    expect(new Set(await shownBy(world, "east"))).toEqual(new Set([first]))
    const good = world.commit("works")
    await runFor(world, 20)
    expect(await world.record("east")).toMatchObject({ commit: good, candidate: null, rejected: null })
  })
})

describe("a candidate that fails", () => {
  it("is returned without git and without a lane, and the view follows with the next reconcile", async () => {
    const world = rolloutWorld(
      { east: 3 },
      { stages: [{ bake: "9s" }], health: { nodes: { within: "20s" } } },
    )
    const first = world.repository.tip()
    await runFor(world, 2)
    const bad = world.commit("fails")
    await runFor(world, 1)
    expect(await world.record("east")).toMatchObject({ candidate: { commit: bad, view: true } })
    for (const node of world.cluster("east").nodes.keys()) await world.lookOfNode("east", node)
    const away = async () => {
      throw new Error("git is away")
    }
    const ports = world.ports("east")
    const repository = { ...ports.repository, fetch: away, seqOf: away, tree: away }
    const look = await returnFailed(
      { cluster: "east", source: SOURCE },
      { ...ports, repository, rulesRepository: repository },
      AbortSignal.timeout(150_000),
    )
    expect(look).toBe("returned")
    expect(await world.record("east")).toMatchObject({
      commit: first,
      candidate: null,
      rejected: { commit: bad, code: "rollout/node-failed" },
      intents: [{ commit: first, targets: "all" }],
    })
    const view = async () => (await world.cluster("east").kube.get("ci", "alpha"))?.data?.["x.txt"]
    expect(await view()).toBe(world.repository.filesAt(bad).get("a/x.txt"))
    await runFor(world, 1)
    expect(await view()).toBe("0")
    expect((await world.record("east"))?.intents).toEqual([])
  })

  it("is left alone by a program that has no stages, which says so", async () => {
    const world = rolloutWorld({ east: 3 }, TWO_STAGES)
    await runFor(world, 2)
    world.commit("works")
    await runFor(world, 2)
    const before = await world.record("east")
    expect(before?.candidate).not.toBeNull()
    const outcome = await world.look("east", { policy: "none", mode: "full" })
    expect(outcome).toMatchObject({ result: "stopped", stopped: { code: "rollout/other-policy" } })
    expect(await world.record("east")).toEqual(before)
  })

  it("holds up its stage while healthy nodes show the one before, and is returned in the end", async () => {
    const world = rolloutWorld({ east: 4 }, TWO_STAGES)
    const first = world.repository.tip()
    await runFor(world, 2)
    for (const node of world.cluster("east").nodes.values()) node.deaf = true
    world.commit("works")
    await runFor(world, 15)
    expect(await world.record("east")).toMatchObject({ commit: first, candidate: { stage: 0, passed: null } })
    await runFor(world, 15)
    expect(await world.record("east")).toMatchObject({
      commit: first,
      candidate: null,
      rejected: { code: "rollout/node-silent" },
    })
  })
})

describe("a rollout with an http check", () => {
  const CHECKED = {
    stages: [{ bake: "3s" }],
    health: { http: [{ url: "http://probe/healthz", every: "1s" }] },
  }
  const RED = { passes: false, why: "answered 503" } as const

  async function begun(settings: object = CHECKED) {
    const world = rolloutWorld({ east: 0 }, settings)
    const first = world.repository.tip()
    await runFor(world, 2)
    expect(await world.record("east")).toMatchObject({ commit: first })
    return { world, first }
  }

  it("judges a cluster without agents by it alone, and not before the bake time is over", async () => {
    const { world, first } = await begun()
    const second = world.commit("works")
    await runFor(world, 2)
    expect(await world.record("east")).toMatchObject({ commit: first, candidate: { commit: second } })
    await runFor(world, 4)
    expect(await world.record("east")).toMatchObject({ commit: second, candidate: null, rejected: null })
  })

  it("waits for one that is red before the first stage, and names it", async () => {
    const { world, first } = await begun()
    world.answer = RED
    const second = world.commit("works")
    await runFor(world, 30)
    expect(await world.record("east")).toMatchObject({
      commit: first,
      candidate: { commit: second, bound: 0, view: false },
      rejected: null,
    })
    expect((await world.look("east"))?.rollout?.holdUp).toEqual([
      "http http://probe/healthz: answered 503 (before the rollout begins)",
    ])
    world.answer = { passes: true }
    await runFor(world, 8)
    expect(await world.record("east")).toMatchObject({ commit: second, candidate: null, rejected: null })
  })

  it.each([
    { onFailure: "return", candidate: null },
    { onFailure: "stop", candidate: { passed: null } },
  ])("that turns red in a stage: $onFailure", async ({ onFailure, candidate }) => {
    const { world, first } = await begun({ ...CHECKED, onFailure })
    const bad = world.commit("works")
    await runFor(world, 2)
    expect(await world.record("east")).toMatchObject({ candidate: { commit: bad, view: true } })
    world.answer = RED
    await runFor(world, 10)
    const record = await world.record("east")
    expect(record).toMatchObject({ commit: first, candidate })
    const rejected = { code: "rollout/check-failed", reason: "http http://probe/healthz: answered 503" }
    expect(record?.rejected ?? null).toEqual(
      onFailure === "return" ? expect.objectContaining(rejected) : null,
    )
  })

  it("takes no answer from before the end of the bake time for one after it", async () => {
    const { world, first } = await begun({
      ...CHECKED,
      health: { http: [{ url: "http://probe/", every: "1h" }] },
    })
    world.commit("works")
    await runFor(world, 2)
    world.answer = RED
    await runFor(world, 5)
    expect(await world.record("east")).toMatchObject({
      commit: first,
      candidate: null,
      rejected: { code: "rollout/check-failed" },
    })
  })
})

describe("another program's write", () => {
  it("is listed in the record when the view of a candidate repairs it", async () => {
    const world = rolloutWorld({ east: 1 }, { stages: [{ bake: "3s" }] })
    await runFor(world, 2)
    const { kube } = world.cluster("east")
    const view = await kube.get("ci", "alpha")
    if (view === undefined) throw new Error("there is no view")
    await kube.replace({ ...view, data: { "x.txt": "of another program" } })
    const second = world.commit("works")
    await runFor(world, 2)
    expect(await world.record("east")).toMatchObject({
      candidate: { commit: second, view: true },
      foreign: [{ target: "ci/alpha" }],
    })
  })
})

describe("a stage for labelled nodes", () => {
  it("is passed for the other clusters, too, once it has passed in one", async () => {
    const labelled = {
      stages: [{ nodes: { matchLabels: { tier: "canary" } }, bake: "1s" }, { bake: "1s" }],
      health: { http: [{ url: "http://probe/healthz", every: "1s" }] },
    }
    const world = rolloutWorld({ east: 2, west: 2 }, labelled)
    await runFor(world, 2)
    const second = world.commit("works")
    await runFor(world, 20)
    for (const cluster of ["east", "west"])
      expect(await world.record(cluster)).toMatchObject({ commit: second, candidate: null })
  })
})
