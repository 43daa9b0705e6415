import { quiet, type ReconcileFixture, reconcileFixture } from "@headrace/test/harness/reconcile-fixture"
import { describe, expect, it } from "vitest"
import { openStoreConfigMap, storeObjectName } from "../bundle/store-config-map.ts"
import type { ConfigMap } from "../foundation/config-map.ts"
import { retryOfTarget } from "../record/retry-of-target.ts"
import { listFailures, listTargets, parseIndex } from "../record/walk-index.ts"
import { collectGarbage } from "./operate/collect-garbage.ts"
import { reconcile } from "./reconcile.ts"
import { createReconcileMemory } from "./run/memory.ts"
import { STORE_SELECTOR, UNUSED_SINCE } from "./store/read-store.ts"

const MANY = 60

function id(index: number): string {
  return String(index).padStart(3, "0")
}

function rulesFor(count: number): string {
  const rules = Array.from(
    { length: count },
    (_, index) => `    t/${id(index)}/**/*.txt: {name: target-${id(index)}, clusters: {east: [ci]}}`,
  )
  return [
    "config_updater:",
    "  maps:",
    "    ok/*.txt: {name: okay, clusters: {east: [ci]}}",
    ...rules,
    "",
  ].join("\n")
}

function filesFor(count: number, folder: string): { [path: string]: string } {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`t/${id(index)}/${folder}/x.txt`, `${folder} ${index}`]),
  )
}

/** Targets of one file each; `mistake` gives the first `bad` of them a second file for the same key. */
function fixture(count = MANY) {
  const here = reconcileFixture(
    { "ok/o.txt": "o", ...filesFor(count, "a") },
    {
      rules: rulesFor(count),
      settings: { strict: true, guard: { deletedKeys: 0.2, deletedConfigMaps: 0.2, atLeast: 20 } },
    },
  )
  return { here, mistake: (bad: number) => here.commit(filesFor(bad, "b")) }
}

function fetchIndex(here: ReconcileFixture) {
  return async (digest: string) => {
    const object = await here.kube.get("headrace", storeObjectName("index", digest))
    if (object === undefined) throw new Error(`no ${digest}`)
    return parseIndex(openStoreConfigMap(object, digest), digest)
  }
}

/** Targets of the root in force that hold a file. */
async function filled(here: ReconcileFixture): Promise<number> {
  const { root } = await here.record()
  const targets = root === null ? [] : await listTargets(root, fetchIndex(here))
  return targets.filter(({ files }) => files > 0).length
}

async function remove(here: ReconcileFixture, name: string): Promise<void> {
  await here.kube.remove((await here.kube.get("headrace", name)) as ConfigMap)
  here.ports.memory = createReconcileMemory()
}

/** Marks every object of the store as garbage; gives their number. */
async function markAll(here: ReconcileFixture): Promise<number> {
  const objects = await here.kube.listMetadata("headrace", { labelSelector: STORE_SELECTOR }, quiet)
  for (const { name } of objects) {
    const object = (await here.kube.get("headrace", name)) as ConfigMap
    const since = new Date(here.ports.clock.now()).toISOString()
    const annotations = { ...object.metadata.annotations, [UNUSED_SINCE]: since }
    await here.kube.replace({ ...object, metadata: { ...object.metadata, annotations } })
  }
  return objects.length
}

async function removeIndex(here: ReconcileFixture, digest: string | null): Promise<void> {
  await remove(here, storeObjectName("index", digest ?? ""))
}

describe("more failed targets than a record has room for", () => {
  it("are all listed by an object of the store, and all given by the outcome", async () => {
    const { here, mistake } = fixture()
    await here.run()
    mistake(MANY)
    expect((await here.run()).failed).toHaveLength(MANY)
    const { failed, failedMore, failures } = await here.record()
    expect(failed.length).toBeLessThan(MANY)
    expect(failed.length + failedMore).toBe(MANY)
    const listed = await listFailures(failures ?? "", fetchIndex(here))
    expect(listed).toHaveLength(MANY)
    expect(listed.every(({ held }) => held?.files === 1)).toBe(true)
    expect(await filled(here)).toBe(MANY + 1)
  })

  it("cost a change of one file one write", async () => {
    const { here, mistake } = fixture(300)
    await here.run()
    mistake(30)
    await here.run()
    for (const content of ["new", "newer"]) {
      here.commit({ "t/299/a/x.txt": content })
      here.writes.length = 0
      here.ports.memory = createReconcileMemory()
      await here.run()
      expect(here.writes.filter((write) => write.startsWith("replace target"))).toEqual([
        "replace target-299",
      ])
    }
    here.writes.length = 0
    await here.run()
    expect(here.writes).toEqual([])
  })

  it("cost a rebuild nothing, though a later commit has the same ones", async () => {
    const { here, mistake } = fixture()
    await here.run()
    mistake(MANY)
    await here.run()
    const { failures } = await here.record()
    here.commit({ "elsewhere.txt": "no target's" })
    await here.run()
    expect((await here.record()).failures).toBe(failures)
    here.writes.length = 0
    await here.run("full")
    expect(here.writes).toEqual([])
  })

  it("stay known to garbage collection, with what they hold, and are garbage when none fails", async () => {
    const { here, mistake } = fixture()
    await here.run()
    mistake(MANY)
    await here.run()
    const { failures } = await here.record()
    const name = storeObjectName("index", failures ?? "")
    let now = here.ports.clock.now()
    const clock = { now: () => now, sleep: async () => {} }
    const collect = () => collectGarbage({ kube: here.kube, namespace: "headrace", clock, grace: 1 }, quiet)
    for (let round = 0; round < 2; round++) {
      await collect()
      now += 10
    }
    expect(await here.kube.get("headrace", name)).toBeDefined()
    expect(await filled(here)).toBe(MANY + 1)
    here.commit(Object.fromEntries(Object.keys(filesFor(MANY, "b")).map((path) => [path, undefined])))
    await here.run()
    expect(await here.record()).toMatchObject({ failed: [], failedMore: 0, failures: null })
    for (let round = 0; round < 2; round++) {
      await collect()
      now += 10
    }
    expect(await here.kube.get("headrace", name)).toBeUndefined()
  })
})

describe.each([2, MANY])("%i failed targets keep their content", (bad) => {
  const lost: { [what: string]: (here: ReconcileFixture) => Promise<void> } = {
    "the record": (here) => remove(here, "release"),
    "the root index": async (here) => removeIndex(here, (await here.record()).root),
    "the root index and the record": async (here) => {
      await removeIndex(here, (await here.record()).root)
      await remove(here, "release")
    },
    "the list of failures": async (here) => removeIndex(here, (await here.record()).failures),
  }

  it.each(Object.keys(lost))("though %s is lost", async (what) => {
    const { here, mistake } = fixture()
    await here.run()
    mistake(bad)
    await here.run()
    await lost[what]?.(here)
    here.commit({ "ok/o.txt": "o2" })
    expect(await here.run()).toMatchObject({ result: "applied", stopped: null })
    expect(await filled(here)).toBe(MANY + 1)
    expect((await here.run("full")).failed).toHaveLength(bad)
    expect(await filled(here)).toBe(MANY + 1)
  })

  it("though garbage was collected for hours while the record was lost", async () => {
    const { here, mistake } = fixture()
    await here.run()
    mistake(bad)
    await here.run()
    await remove(here, "release")
    let now = here.ports.clock.now()
    const clock = { now: () => now, sleep: async () => {} }
    const garbage = { kube: here.kube, namespace: "headrace", clock, grace: 3_600_000 }
    for (let hour = 0; hour < 4; hour++) {
      await collectGarbage(garbage, quiet)
      now += 3_600_000
    }
    await here.run()
    expect(await filled(here)).toBe(MANY + 1)
  })

  it("though their objects were marked as garbage when the record was lost", async () => {
    const { here, mistake } = fixture()
    await here.run()
    mistake(bad)
    await here.run()
    await remove(here, "release")
    const grace = { kube: here.kube, namespace: "headrace", clock: here.ports.clock, grace: 3_600_000 }
    await collectGarbage(grace, quiet)
    // An earlier version's collector did not know what a lost record had named.
    expect(await markAll(here)).toBeGreaterThan(0)
    await here.run()
    expect(await filled(here)).toBe(MANY + 1)
    const clock = { ...here.ports.clock, now: () => Date.now() * 2 }
    await collectGarbage({ ...grace, clock }, quiet)
    expect(await filled(here)).toBe(MANY + 1)
    const { root } = await here.record()
    for (const { index } of await listTargets(root ?? "", fetchIndex(here))) await fetchIndex(here)(index)
  })
})

it("names a target that holds nothing anywhere as failed, and writes the others", async () => {
  const { here, mistake } = fixture(3)
  mistake(1)
  const outcome = await reconcile(
    { cluster: "east", source: "release", mode: "incremental" },
    here.ports,
    quiet,
  )
  expect(outcome).toMatchObject({ result: "applied", failed: [{ target: "ci/target-000" }] })
  expect(await filled(here)).toBe(3)
})

it("has a target tried again whose failure has no code", async () => {
  const here = reconcileFixture(
    { "a/x.txt": "one" },
    {
      changeKube: (kube) => ({
        ...kube,
        async create(configMap, signal) {
          if (configMap.metadata.namespace === "ci") throw new TypeError("no such property")
          return kube.create(configMap, signal)
        },
      }),
    },
  )
  const [failed] = (await here.run()).failed
  expect(failed?.reason).toBe("program/unexpected: no such property")
  expect(retryOfTarget(failed?.reason ?? "")).toBe("soon")
})
