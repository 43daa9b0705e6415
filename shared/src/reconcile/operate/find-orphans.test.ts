import { quiet, reconcileFixture } from "@headrace/test/harness/reconcile-fixture"
import { type RolloutWorld, rolloutWorld, runFor, SOURCE } from "@headrace/test/model/rollouts/rollout-world"
import { describe, expect, it } from "vitest"
import { KubeError } from "../../kube/kube-error.ts"
import { createReconcileMemory } from "../run/memory.ts"
import type { ReconcileSettings } from "../run/ports.ts"
import { approveCommit } from "./approve-commit.ts"
import { findOrphans, pruneOrphans } from "./find-orphans.ts"

const BETA = "    b/*.txt: {name: beta, clusters: {east: [ci]}}\n"
const RULES = `
config_updater:
  maps:
    a/*.txt: {name: alpha, clusters: {east: [ci]}}
${BETA}`
const LESS = RULES.replace(BETA, "")
const PLACE = { cluster: "east", source: "release" }

function fixture() {
  const files = {
    "a/x.txt": "a",
    "b/x.txt": "b",
    "less.yaml": LESS,
    "broken.yaml": "config_updater: {maps: [}",
  }
  const here = reconcileFixture(files, { rules: RULES })
  const find = (settings: Partial<ReconcileSettings> = {}, shown?: Parameters<typeof findOrphans>[3]) =>
    findOrphans(
      { ...here.ports, memory: createReconcileMemory(), settings: { ...here.ports.settings, ...settings } },
      PLACE,
      quiet,
      shown,
    )
  /** Takes the rule of beta away, approved. */
  async function drop() {
    const commit = here.commit({ "rules.yaml": LESS })
    await approveCommit({ ...here.ports, namespace: "headrace", source: "release" }, commit, quiet)
    return here.run()
  }
  return { here, find, drop }
}

describe("orphans", () => {
  it("are the ConfigMaps that the plan in force names no more, and go when they are pruned", async () => {
    const { here, find, drop } = fixture()
    await here.run()
    expect(await find()).toEqual({ found: [], unknown: undefined })
    const outcome = await drop()
    const { found } = await find({}, outcome)
    expect(found.map(({ name }) => name)).toEqual(["beta"])
    expect(await pruneOrphans(here.kube, found, quiet)).toEqual(["ci/beta"])
    expect(await here.kube.get("ci", "beta")).toBeUndefined()
  })

  it("are not known to settings that were not judged and applied, whether their rules parse or not", async () => {
    const { here, find } = fixture()
    await here.run()
    expect((await find({ rulesPath: "less.yaml" })).unknown).toContain("not those that are in force")
    await expect(find({ rulesPath: "broken.yaml" })).rejects.toMatchObject({ code: "rules/invalid" })
    expect((await find({ strict: true })).unknown).toContain("not those that are in force")
  })

  it("are not known while the source is stopped, or when something else was applied meanwhile", async () => {
    const { here, find, drop } = fixture()
    const first = await here.run()
    await drop()
    expect(await find({}, first)).toMatchObject({
      found: [],
      unknown: expect.stringContaining("another commit"),
    })
    here.commit({ "rules.yaml": "config_updater: [" })
    await here.run()
    expect(await find()).toMatchObject({ found: [], unknown: expect.stringContaining("rules/invalid") })
  })

  it("that may not be removed name the right that is missing", async () => {
    const { here, find, drop } = fixture()
    await here.run()
    await drop()
    const { found } = await find()
    const kube = {
      ...here.kube,
      async remove() {
        throw new KubeError("kube/forbidden", "configmaps is forbidden", { status: 403 })
      },
    }
    const error = await pruneOrphans(kube, found, quiet).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: "orphans/may-not-remove",
      message: expect.stringContaining("verb delete, resource configmaps, namespace ci"),
    })
  })
})

describe("while a rollout is under way, orphans", () => {
  const CLUSTERS = "{canary: [ci], edge: [ci]}"
  const ALPHA = `config_updater:\n  maps:\n    a/*.txt: {name: alpha, clusters: ${CLUSTERS}}\n`
  const TWO = `${ALPHA}    b/*.txt: {name: beta, clusters: ${CLUSTERS}}\n`
  const POLICY = {
    stages: [{ clusters: ["canary"], bake: "3s" }, { bake: "60s" }],
    health: { nodes: { within: "120s" } },
  }

  function commit({ repository, effects }: RolloutWorld, rules: string): void {
    const files = new Map(repository.rawAt(repository.tip()))
    repository.push(repository.add([repository.tip()], files.set("rules.yaml", rules).set("b/x.txt", "b")))
    effects.set(repository.tip(), "works")
  }

  async function orphansIn(world: RolloutWorld, cluster: string) {
    const ports = { ...world.ports(cluster), memory: createReconcileMemory() }
    const { found, unknown } = await findOrphans(ports, { cluster, source: SOURCE }, quiet)
    return unknown ?? found.map(({ name }) => name)
  }

  it("are none of those that it tries", async () => {
    const world = rolloutWorld({ canary: 2, edge: 2 }, POLICY)
    await runFor(world, 2)
    commit(world, TWO)
    await runFor(world, 30)
    const edge = await world.record("edge")
    expect(edge?.candidate).toMatchObject({ view: true })
    expect(await world.cluster("edge").kube.get("ci", "beta")).toBeDefined()
    expect(await orphansIn(world, "edge")).toEqual([])
  })

  it("are none of those that it may return to", async () => {
    const world = rolloutWorld({ canary: 2, edge: 2 }, POLICY)
    await runFor(world, 2)
    commit(world, TWO)
    await runFor(world, 200)
    commit(world, ALPHA)
    await runFor(world, 30)
    expect((await world.record("canary"))?.previous).not.toBeNull()
    expect(await orphansIn(world, "canary")).toEqual([])
    await runFor(world, 200)
    expect(await orphansIn(world, "canary")).toEqual(["beta"])
  })
})
