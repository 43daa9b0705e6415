import { type RolloutWorld, rolloutWorld, runFor, SOURCE } from "@headrace/test/model/rollouts/rollout-world"
import { describe, expect, it } from "vitest"
import { nodeHash } from "../record/takes-candidate.ts"
import { changeRecord } from "./record/change-record.ts"

const TWO_STAGES = {
  stages: [{ nodes: "25%", bake: "3s" }, { bake: "3s" }],
  health: { nodes: { within: "20s" } },
}

describe("a stage whose nodes are ill", () => {
  it("waits for them, reaches no others in their place, and begins when they are well", async () => {
    const world = rolloutWorld({ east: 8 }, TWO_STAGES)
    const first = world.repository.tip()
    await runFor(world, 1)
    const nodes = [...world.cluster("east").nodes.values()]
    const inOrder = nodes.sort((a, b) => nodeHash(SOURCE, a.name) - nodeHash(SOURCE, b.name))
    const ill = inOrder.slice(0, 2)
    for (const node of ill) node.alive = false
    world.now += 60_000
    const second = world.commit("works")
    await runFor(world, 2)
    const waiting = { commit: first, candidate: { commit: second, bound: 0, expected: { count: 0 } } }
    expect(await world.record("east")).toMatchObject(waiting)
    expect((await world.look("east"))?.rollout?.holdUp.join()).toContain(
      `node ${ill[0]?.name}: it was silent`,
    )
    for (const node of ill) node.alive = true
    await runFor(world, 2)
    const shown = inOrder.filter((node) => node.shown?.commit === second)
    expect(shown).toEqual(ill)
    expect(await world.record("east")).toMatchObject({ candidate: { stage: 0, expected: { count: 2 } } })
  })

  it("waits where every agent is gone since the stage before, as it has no check to judge by", async () => {
    const stages = [{ clusters: ["canary"], nodes: "25%" }, { clusters: ["build"], bake: "4s" }, {}]
    const world = rolloutWorld({ canary: 4, build: 1 }, { ...TWO_STAGES, stages })
    await runFor(world, 2)
    const second = world.commit("works")
    await runFor(world, 4)
    const passed = {
      commit: second,
      stage: 0,
      expected: { count: 1 },
      passed: expect.any(String),
      view: false,
    }
    expect(await world.record("canary")).toMatchObject({ candidate: passed })
    const nodes = [...world.cluster("canary").nodes]
    world.cluster("canary").nodes.clear()
    await runFor(world, 8)
    expect(await world.record("build")).toMatchObject({ commit: second, candidate: null })
    expect(await world.record("canary")).toMatchObject({ candidate: passed })
    for (const [name, node] of nodes) world.cluster("canary").nodes.set(name, node)
    await runFor(world, 6)
    expect(await world.record("canary")).toMatchObject({ commit: second, candidate: null })
  })
})

describe("a candidate that is rejected while its ConfigMaps are written in another cluster", () => {
  it("is shown by no node there, and the ConfigMaps are restored", async () => {
    const stages = [{ clusters: ["canary"] }, {}]
    let isSlow = false
    const world: RolloutWorld = rolloutWorld(
      { canary: 1, build: 2 },
      { ...TWO_STAGES, stages },
      {
        kube: (kube, { name }) => ({
          ...kube,
          async replace(configMap, signal) {
            if (name === "build" && isSlow && configMap.metadata.name === "alpha") {
              isSlow = false
              world.now += 60_000
              await rejectIn(world, "canary")
            }
            return kube.replace(configMap, signal)
          },
        }),
      },
    )
    await runFor(world, 2)
    const first = world.repository.tip()
    isSlow = true
    world.commit("works")
    await runFor(world, 8)
    expect(isSlow).toBe(false)
    expect(world.swaps.some(({ cluster, record }) => cluster === "build" && record.candidate?.view)).toBe(
      false,
    )
    expect(await world.record("build")).toMatchObject({ commit: first, candidate: null, intents: [] })
    expect((await world.cluster("build").kube.get("ci", "alpha"))?.data?.["x.txt"]).toBe("0")
  })
})

/** As if a check of the cluster's own failed at last. */
async function rejectIn(world: RolloutWorld, cluster: string): Promise<void> {
  const ports = { ...world.ports(cluster), source: SOURCE, namespace: "headrace" }
  await changeRecord(
    ports,
    (record) => {
      const { commit, rulesCommit, rules, token } = record.candidate ?? record
      const at = new Date(world.now).toISOString()
      const code = "rollout/check-failed"
      const rejected = {
        commit: commit ?? "",
        rulesCommit,
        rules: rules ?? "",
        seq: token.seq,
        code,
        reason: "red",
        at,
      }
      return { ...record, rejected }
    },
    new AbortController().signal,
  )
}
