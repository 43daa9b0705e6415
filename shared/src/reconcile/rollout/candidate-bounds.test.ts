import { type RolloutWorld, rolloutWorld, runFor } from "@headrace/test/model/rollouts/rollout-world"
import { assemble } from "@headrace/test/model/store-view"
import { expect, it } from "vitest"
import { DEFAULT_WRITER_BOUNDS } from "../../settings/bounds.ts"

const POLICY = { stages: [{ clusters: ["canary"], nodes: "25%", bake: "3s" }, { bake: "3s" }] }

it("leaves what is too large for one change as it was, by its name and in the store, until there is room", async () => {
  const world = rolloutWorld({ canary: 4, edge: 2 }, POLICY)
  await runFor(world, 2)
  world.bounds = { ...DEFAULT_WRITER_BOUNDS, change: 100 }
  const { repository } = world
  const large = "much".repeat(100)
  const files = new Map([...repository.rawAt(repository.tip()), ["a/x.txt", large]])
  const commit = repository.add([repository.tip()], files)
  repository.push(commit)
  world.effects.set(commit, "works")
  let tried = 0
  for (let second = 0; second < 40; second += 1) {
    await runFor(world, 1)
    if ((await world.record("canary"))?.candidate?.commit === commit) tried += 1
    expect(await shown(world), `after ${second} seconds`).toEqual({ named: "0", stored: "0" })
  }
  expect(tried).toBeGreaterThan(0)
  expect(await world.record("canary")).toMatchObject({
    commit,
    failed: [{ target: "ci/alpha", tooLarge: true }],
  })
  world.bounds = DEFAULT_WRITER_BOUNDS
  await runFor(world, 40)
  expect(await world.record("canary")).toMatchObject({ commit, failed: [] })
  expect(await shown(world)).toEqual({ named: large, stored: large })
})

/** What `alpha` of the canary holds by its name, and in the store by what is in force. */
async function shown(world: RolloutWorld) {
  const { kube } = world.cluster("canary")
  const record = await world.record("canary")
  const stored = (await assemble(kube, "headrace", record?.root ?? "")).get("ci/alpha")?.get("x.txt")
  return { named: (await kube.get("ci", "alpha"))?.data?.["x.txt"], stored }
}
