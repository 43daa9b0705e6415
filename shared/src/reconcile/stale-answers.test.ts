import { reconcileFixture } from "@headrace/test/harness/reconcile-fixture"
import { expect, it } from "vitest"
import type { ConfigMap } from "../foundation/config-map.ts"
import { KubeError } from "../kube/kube-error.ts"

it("names an API server by which an object exists and does not", async () => {
  const here = reconcileFixture(
    { "a/x.txt": "one" },
    {
      changeKube: (kube) => ({
        ...kube,
        create(configMap, signal) {
          if (!configMap.metadata.name.startsWith("shard-")) return kube.create(configMap, signal)
          return Promise.reject(new KubeError("kube/already-exists", "it exists", { status: 409 }))
        },
      }),
    },
  )
  await expect(here.run()).rejects.toMatchObject({
    code: "kube/stale-answers",
    message: expect.stringMatching(/^ConfigMap headrace\/shard-\w+ exists/),
  })
})

it("takes an answer from before its intent for no other record", async () => {
  let past: ConfigMap | undefined
  let isBegun = false
  const here = reconcileFixture(
    { "a/x.txt": "one" },
    {
      changeKube: (kube) => ({
        ...kube,
        get: async (...args) => (args[1] === "release" && isBegun ? past : kube.get(...args)),
        async replace(configMap, signal) {
          if (configMap.metadata.name !== "release") return kube.replace(configMap, signal)
          isBegun = past !== undefined && !isBegun
          return kube.replace(configMap, signal)
        },
      }),
    },
  )
  const { token } = await here.run()
  past = await here.kube.get("headrace", "release")
  // Another meaning of the same commit takes a new epoch, of which no target carries a stamp yet.
  here.ports.settings.strict = true
  expect(await here.run()).toMatchObject({ result: "applied", failed: [] })
  expect((await here.record()).token.epoch).toBe(token.epoch + 1)
  expect((await here.kube.get("ci", "alpha"))?.metadata.annotations).toMatchObject({
    "headrace.dev/epoch": `${token.epoch + 1}`,
  })
})
