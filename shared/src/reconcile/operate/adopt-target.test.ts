import { quiet, type ReconcileFixture, reconcileFixture } from "@headrace/test/harness/reconcile-fixture"
import { describe, expect, it } from "vitest"
import type { ConfigMap } from "../../foundation/config-map.ts"
import { readStamp, withoutStamp } from "../target/ownership.ts"
import { adoptTarget, detachSource } from "./adopt-target.ts"
import { collectGarbage } from "./collect-garbage.ts"
import { findAdoptable } from "./find-adoptable.ts"

async function alphaOf(here: ReconcileFixture): Promise<ConfigMap> {
  return (await here.kube.get("ci", "alpha")) as ConfigMap
}

const ALPHA = { namespace: "ci", name: "alpha" }

describe("adopt", () => {
  it("leaves a source's own token on its target, which is what refuses a late writer", async () => {
    const here = reconcileFixture({ "a/x.txt": "one" })
    await here.run()
    const before = readStamp(await alphaOf(here))
    await adoptTarget(here.ports, "release", ALPHA, quiet)
    expect(readStamp(await alphaOf(here))).toEqual(before)
  })

  it("gives a target to one source, and the other lists it as not its own", async () => {
    const here = reconcileFixture({ "a/x.txt": "one" })
    await here.run()
    await adoptTarget(here.ports, "tools", ALPHA, quiet)
    const outcome = await here.run("full")
    expect(outcome.failed).toMatchObject([{ target: "ci/alpha" }])
    expect(outcome.failed[0]?.reason).toMatch(/^reconcile\/other-source: .* belongs to source tools/)
  })

  it("says that there is nothing to adopt", async () => {
    const here = reconcileFixture({})
    await expect(adoptTarget(here.ports, "release", ALPHA, quiet)).rejects.toMatchObject({
      code: "adopt/absent",
    })
  })
})

describe("marks that somebody took off", () => {
  it("are put back by a rebuild, so that late writers are refused again", async () => {
    const here = reconcileFixture({ "a/x.txt": "one" })
    await here.run()
    const before = await alphaOf(here)
    await here.kube.replace({ ...before, metadata: withoutStamp(before.metadata) })
    await here.run("full")
    expect(readStamp(await alphaOf(here))).toEqual(readStamp(before))
    expect(await here.run("full")).toMatchObject({ result: "noop", written: 0 })
  })
})

describe("detach", () => {
  it("takes nothing away that is no record, when the source is called as something else is", async () => {
    const here = reconcileFixture({ "a/x.txt": "one" })
    const settings: ConfigMap = { metadata: { namespace: "headrace", name: "settings" }, data: { a: "b" } }
    await here.kube.create(settings)
    const place = { namespace: "headrace", source: "settings", namespaces: [""] }
    await expect(detachSource(here.ports, place, quiet)).rejects.toMatchObject({ code: "record/invalid" })
    expect((await here.kube.get("headrace", "settings"))?.data).toEqual({ a: "b" })
  })

  it("takes the record away though it is written meanwhile", async () => {
    const here = reconcileFixture({ "a/x.txt": "one" })
    await here.run()
    let written = false
    const kube = {
      ...here.kube,
      async remove(configMap: ConfigMap) {
        const record = await here.kube.get("headrace", "release")
        if (!written && record) await here.kube.replace({ ...record, data: { ...record.data, more: "" } })
        written = true
        return here.kube.remove(configMap)
      },
    }
    const place = { namespace: "headrace", source: "release", namespaces: ["ci"] }
    expect(await detachSource({ ...here.ports, kube }, place, quiet)).toEqual(["ci/alpha", "ci/beta"])
    expect(await here.kube.get("headrace", "release")).toBeUndefined()
    expect(readStamp(await alphaOf(here))).toBeUndefined()
  })
})

describe("the store of a source", () => {
  it("is garbage once the source is detached, and not while its record is only lost", async () => {
    const here = reconcileFixture({ "a/x.txt": "one" })
    await here.run()
    let now = here.ports.clock.now()
    const clock = { now: () => now, sleep: async () => {} }
    async function collect(): Promise<number> {
      for (let round = 0; round < 2; round++) {
        await collectGarbage({ kube: here.kube, namespace: "headrace", clock, grace: 1 }, quiet)
        now += 10
      }
      return (await here.kube.listMetadata("headrace", {})).length
    }
    await here.kube.remove((await here.kube.get("headrace", "release")) as ConfigMap)
    expect(await collect()).toBeGreaterThan(0)
    const place = { namespace: "headrace", source: "release", namespaces: ["ci"] }
    await detachSource(here.ports, { ...place, source: "another" }, quiet)
    expect(await collect()).toBeGreaterThan(0)
    await detachSource(here.ports, place, quiet)
    expect(await collect()).toBe(0)
  })
})

describe("what needs adopt", () => {
  it("is another source's too, though that one has not written it yet", async () => {
    const here = reconcileFixture({ "a/x.txt": "one" })
    await here.kube.create({ metadata: ALPHA })
    await adoptTarget(here.ports, "tools", ALPHA, quiet)
    const place = { cluster: "east", source: "release" }
    const found = await findAdoptable(here.ports, place, undefined, quiet)
    expect(found).toMatchObject({ targets: [ALPHA], barred: [] })
    const theirs = await findAdoptable(here.ports, { ...place, source: "tools" }, undefined, quiet)
    expect(theirs).toEqual({ targets: [], barred: [] })
  })
})
