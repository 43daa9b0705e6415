import { RULES, reconcileFixture } from "@headrace/test/harness/reconcile-fixture"
import { expect, it } from "vitest"

const PROW = { "app.kubernetes.io/name": "prow", "app.kubernetes.io/component": "updateconfig-plugin" }
const STRAYS = { "1.txt": "1", "2.txt": "2", "3.txt": "3" }

it("does not count keys as deleted that stay, being others'", async () => {
  const here = reconcileFixture({ "a/x.txt": "one" }, { settings: { foreignKeys: "keep" } })
  await here.kube.create({ metadata: { namespace: "ci", name: "alpha", labels: PROW }, data: STRAYS })
  expect(await here.run()).toMatchObject({ result: "applied", stopped: null })
  expect(await here.data("alpha")).toEqual({ "x.txt": "one", ...STRAYS })
})

it("counts only the content of its own targets: another source's lets the others advance", async () => {
  const here = reconcileFixture({ "a/x.txt": "one", "b/y.txt": "two" })
  const labels = { ...PROW, "headrace.dev/source": "tools" }
  await here.kube.create({ metadata: { namespace: "ci", name: "alpha", labels }, data: STRAYS })
  expect(await here.run()).toMatchObject({ result: "applied", failed: [{ target: "ci/alpha" }] })
  expect(await here.data("alpha")).toEqual(STRAYS)
  expect((await here.kube.get("ci", "beta"))?.binaryData).toHaveProperty("b-y.txt")
})

it("still counts the keys that the rules gave a target, where others may have keys there", async () => {
  const keys = Object.fromEntries([1, 2, 3].map((number) => [`a/${number}.txt`, `${number}`]))
  const here = reconcileFixture(keys, { settings: { foreignKeys: "keep" } })
  await here.run()
  const record = await here.kube.get("headrace", "release")
  if (record) await here.kube.remove(record)
  here.commit({ "rules.yaml": RULES.replace("a/*.txt", "a/1.txt") })
  expect(await here.run()).toMatchObject({ result: "stopped", stopped: { code: "guard/deleted-keys" } })
})
