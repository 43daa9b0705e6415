import { POINTER } from "@headrace/test/model/model-repository"
import type { Effect } from "@headrace/test/model/rollouts/model-node"
import { type RolloutWorld, rolloutWorld, runFor, SOURCE } from "@headrace/test/model/rollouts/rollout-world"
import { assemble } from "@headrace/test/model/store-view"
import { describe, expect, it } from "vitest"
import { DIGEST_ANNOTATION, openStoreConfigMap } from "../bundle/store-config-map.ts"
import type { ConfigMapReader } from "../kube/config-map-api.ts"
import { parseIndex } from "../record/walk-index.ts"
import { latestFirst } from "./store/last-roots.ts"
import { STORE_SELECTOR } from "./store/read-store.ts"

const CLUSTERS = ["canary", "edge"]
const POLICY = {
  stages: [
    { clusters: ["canary"], nodes: "25%", bake: "3s" },
    { clusters: ["canary"], bake: "3s" },
    { bake: "3s" },
  ],
  health: { nodes: { within: "20s" } },
}
const RULES = `config_updater:
  maps:
    a/*.txt: {name: alpha, clusters: {canary: [ci], edge: [ci]}}
    b/*.txt: {name: beta, clusters: {canary: [ci], edge: [ci]}}
`
const FIXED = { "a/y.txt": undefined }

/** A commit of these files beside the branch's own; undefined: the file goes. */
function commit(world: RolloutWorld, effect: Effect, changes: { [path: string]: string | undefined }) {
  const { repository } = world
  const files = new Map(repository.rawAt(repository.tip()))
  for (const [path, content] of Object.entries(changes)) {
    if (content === undefined) files.delete(path)
    else files.set(path, content)
  }
  repository.push(repository.add([repository.tip()], files))
  world.effects.set(repository.tip(), effect)
  return repository.tip()
}

/** The first commit is shown; the second one adds `beta` and makes a part of `alpha` unknown, so that it keeps what it holds. */
async function keeping(): Promise<{ world: RolloutWorld; second: string }> {
  const world = rolloutWorld({ canary: 4, edge: 2 }, POLICY)
  await runFor(world, 2)
  const second = commit(world, "works", { "rules.yaml": RULES, "b/x.txt": "b", "a/y.txt": POINTER })
  await runFor(world, 40)
  await expectShown(world, second, { "x.txt": "0" }, [{ target: "ci/alpha" }])
  return { world, second }
}

/** All records are lost, and begun again by what the named ConfigMaps and the store say. */
async function lose(world: RolloutWorld): Promise<void> {
  for (const { kube } of CLUSTERS.map((name) => world.cluster(name))) {
    const record = await kube.get("headrace", SOURCE)
    if (record) await kube.remove(record)
  }
  // Rejections are lost as well: soon what failed is tried again.
  await runFor(world, 2)
}

/** The canary's record shows a commit, and its root and the named ConfigMap what `alpha` holds there. */
async function expectShown(
  world: RolloutWorld,
  shown: string,
  alpha: { [key: string]: string },
  failed: readonly object[],
): Promise<void> {
  const record = await world.record("canary")
  expect(record).toMatchObject({ commit: shown, failed })
  const { kube } = world.cluster("canary")
  const found = await assemble(kube, "headrace", record?.root ?? "")
  expect(Object.fromEntries(found.get("ci/alpha") ?? [])).toEqual(alpha)
  const { VERSION, ...named } = (await kube.get("ci", "alpha"))?.data ?? {}
  expect(named, `the named ConfigMap, of ${VERSION}`).toEqual(alpha)
  expect(await latestRoot(kube), "what a lost record would be begun with").toBe(record?.root)
}

/** The same before and after the record is lost. */
async function expectKept(...shown: Parameters<typeof expectShown>): Promise<void> {
  await expectShown(...shown)
  await lose(shown[0])
  await expectShown(...shown)
}

/** The root that is found where no record names one. */
async function latestRoot(kube: ConfigMapReader): Promise<string | undefined> {
  const { items } = await kube.list("headrace", { labelSelector: STORE_SELECTOR })
  const objects = new Map(items.map((item) => [item.metadata.name, item]))
  for (const { name, annotations } of latestFirst(
    items.map(({ metadata }) => metadata),
    Number.POSITIVE_INFINITY,
  )) {
    const [object, digest = ""] = [objects.get(name), annotations?.[DIGEST_ANNOTATION]]
    if (object && parseIndex(openStoreConfigMap(object, digest), digest).kind === "targets") return digest
  }
  return undefined
}

describe("a target that is not known keeps what it held, and is listed, though records are lost", () => {
  it("while a candidate that knows it is tried", async () => {
    const { world, second } = await keeping()
    const candidate = commit(world, "works", { ...FIXED, "a/x.txt": "tried" })
    await runFor(world, 3)
    expect(await world.record("canary")).toMatchObject({ candidate: { commit: candidate } })
    await expectKept(world, second, { "x.txt": "0" }, [{ target: "ci/alpha" }])
  })

  it("after a candidate that knew it was returned", async () => {
    const { world, second } = await keeping()
    commit(world, "fails", { ...FIXED, "a/x.txt": "rejected" })
    await runFor(world, 40)
    await expectKept(world, second, { "x.txt": "0" }, [{ target: "ci/alpha" }])
  })

  it("after one that knew it was promoted in one cluster, failed in the next one, and was returned in both", async () => {
    const { world, second } = await keeping()
    const bad = commit(world, "fails elsewhere", { ...FIXED, "a/x.txt": "rejected later" })
    await runFor(world, 60)
    expect(await world.record("edge")).toMatchObject({ rejected: { commit: bad } })
    await expectKept(world, second, { "x.txt": "0" }, [{ target: "ci/alpha" }])
  })

  it("of a candidate that was promoted", async () => {
    const { world } = await keeping()
    const known = commit(world, "works", { ...FIXED, "a/x.txt": "promoted" })
    await runFor(world, 40)
    await expectShown(world, known, { "x.txt": "promoted" }, [])
    const last = commit(world, "works", { "a/y.txt": POINTER, "b/x.txt": "c" })
    await runFor(world, 40)
    await expectKept(world, last, { "x.txt": "promoted" }, [{ target: "ci/alpha" }])
  })
})

it("says which commit was in force to a record that was lost, though the tip refuses the only target", async () => {
  const world = rolloutWorld({ canary: 1 }, { stages: [{ bake: "3s" }], health: POLICY.health })
  await runFor(world, 2)
  const first = world.repository.tip()
  const { kube } = world.cluster("canary")
  const record = await kube.get("headrace", SOURCE)
  if (record) await kube.remove(record)
  commit(world, "works", { "a/y.txt": POINTER })
  await world.look("canary")
  expect(await world.record("canary")).toMatchObject({ commit: first, stopped: null })
})
