import { type ReconcileFixture, reconcileFixture } from "@headrace/test/harness/reconcile-fixture"
import { describe, expect, it } from "vitest"
import type { ConfigMap } from "../../foundation/config-map.ts"
import { createReconcileMemory } from "../run/memory.ts"

const FILES = { "a/x.txt": "one", "a/z.txt": "zed" }
const FOREIGN = [{ target: "ci/alpha", writer: "hook", at: expect.stringMatching(/^\d{4}-/) }]

/** A fixture whose API server notes that Prow's hook was the other writer, and a run from scratch. */
async function begin(settings: Parameters<typeof reconcileFixture>[1] = {}): Promise<ReconcileFixture> {
  const here = reconcileFixture(FILES, settings)
  Object.assign(here.ports, { kube: { ...here.kube, otherWriter: async () => "hook" } })
  await here.run()
  return here
}

/** Another program reads alpha, changes its data and writes it back, marks and all. */
async function alter(here: ReconcileFixture, change: Record<string, string>): Promise<void> {
  const alpha = (await here.kube.get("ci", "alpha")) as ConfigMap
  await here.kube.replace({ ...alpha, data: { ...alpha.data, ...change } })
}

describe("a foreign writer", () => {
  it("is reported with the target that it wrote, which is repaired", async () => {
    const here = await begin()
    await alter(here, { "x.txt": "older", VERSION: "f".repeat(40) })
    expect(await here.run("full")).toMatchObject({ result: "applied", foreign: FOREIGN })
    expect(await here.data("alpha")).toEqual({ "x.txt": "one", "z.txt": "zed" })
    expect((await here.record()).foreign).toEqual(FOREIGN)

    Object.assign(here.ports, { memory: createReconcileMemory() })
    expect(await here.run("full")).toMatchObject({ result: "noop", written: 0, foreign: [] })
    expect((await here.record()).foreign).toEqual(FOREIGN)
  })

  it("is noticed on the way of a change too, and by another plugin than the one that wrote last", async () => {
    const here = await begin()
    await alter(here, { VERSION: "f".repeat(40) })
    here.commit({ "a/x.txt": "two" })
    Object.assign(here.ports, { memory: createReconcileMemory() })
    expect((await here.run()).foreign).toEqual(FOREIGN)
  })

  it("is noticed when it wrote what we would have written, by its VERSION", async () => {
    const here = await begin()
    await alter(here, { VERSION: "f".repeat(40) })
    expect((await here.run("full")).foreign).toEqual(FOREIGN)
    expect((await here.run("full")).foreign).toEqual([])
  })

  it("takes no key away for long: a VERSION that is gone comes back", async () => {
    const here = await begin()
    const { data: { VERSION: _, ...rest } = {}, ...alpha } = (await here.kube.get("ci", "alpha")) as ConfigMap
    await here.kube.replace({ ...alpha, data: rest })
    await here.run("full")
    expect((await here.kube.get("ci", "alpha"))?.data?.VERSION).toBe(here.repository.tip())
  })

  it("is nobody who keeps keys of his own where that is allowed", async () => {
    const here = await begin({ settings: { foreignKeys: "keep" } })
    await alter(here, { stray: "his" })
    expect((await here.run("full")).foreign).toEqual([])
    await alter(here, { "x.txt": "older" })
    expect((await here.run("full")).foreign).toEqual(FOREIGN)
    expect(await here.data("alpha")).toEqual({ "x.txt": "one", "z.txt": "zed", stray: "his" })
  })

  it("is nobody who wrote before we did", async () => {
    const here = reconcileFixture(FILES)
    const labels = { "app.kubernetes.io/name": "prow", "app.kubernetes.io/component": "updateconfig-plugin" }
    const metadata = { namespace: "ci", name: "alpha", labels }
    await here.kube.create({ metadata, data: { "x.txt": "one", VERSION: "f".repeat(40) } })
    expect((await here.run()).foreign).toEqual([])
    expect((await here.run("full")).foreign).toEqual([])
  })
})
