import { quiet, reconcileFixture } from "@headrace/test/harness/reconcile-fixture"
import { expect, it } from "vitest"
import { reconcile } from "../reconcile.ts"
import { collectGarbage } from "./collect-garbage.ts"

const STORE = "app.kubernetes.io/component in (shard,index)"

it("is emptied by garbage collection, whatever the history named when it was turned off", async () => {
  const here = reconcileFixture({ "a/1.txt": "x" })
  await here.run()
  for (let merge = 0; merge < 5; merge++) {
    here.commit({ "a/1.txt": `with ${merge}` })
    await here.run()
  }
  const ports = { ...here.ports, settings: { ...here.ports.settings, store: false } }
  for (let merge = 0; merge < 2; merge++) {
    here.commit({ "a/1.txt": `without ${merge}` })
    await reconcile({ cluster: "east", source: "release", mode: "incremental" }, ports, quiet)
  }
  expect(await here.record()).toMatchObject({ root: null, history: [] })
  let now = here.ports.clock.now()
  const clock = { now: () => now, sleep: async () => {} }
  for (let hour = 0; hour < 3; hour++) {
    await collectGarbage({ kube: here.kube, namespace: "headrace", clock, grace: 3_600_000 }, quiet)
    now += 2 * 3_600_000
  }
  const left = await here.kube.listMetadata("headrace", { labelSelector: STORE })
  expect(left.map(({ name }) => name)).toEqual([])
  expect(await here.data("alpha")).toEqual({ "1.txt": "without 1" })
})
