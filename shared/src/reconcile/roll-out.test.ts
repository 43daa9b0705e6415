import { rolloutWorld, runFor } from "@headrace/test/model/rollouts/rollout-world"
import { describe, expect, it } from "vitest"

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
