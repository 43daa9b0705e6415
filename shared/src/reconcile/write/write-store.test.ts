import { RULES, reconcileFixture } from "@headrace/test/harness/reconcile-fixture"
import { expect, it } from "vitest"
import type { ConfigMap } from "../../foundation/config-map.ts"
import { KubeError } from "../../kube/kube-error.ts"

it("begins with no other object of the store once one cannot be written", async () => {
  // Each file is a shard of its own.
  const files = Array.from({ length: 24 }, (_, number) => [`a/${number}.txt`, `${number}`.repeat(150_000)])
  let begun = 0
  const here = reconcileFixture(Object.fromEntries(files), {
    rules: RULES.replace("name: alpha,", "name: alpha, view: false,"),
    changeKube: (kube) => ({
      ...kube,
      async create(configMap: ConfigMap) {
        if (!configMap.metadata.name.startsWith("shard-")) return kube.create(configMap)
        begun += 1
        if (begun === 6) throw new KubeError("kube/forbidden", "the quota is used up")
        await new Promise(setImmediate)
        return kube.create(configMap)
      },
    }),
  })
  await expect(here.run()).rejects.toMatchObject({ code: "kube/forbidden" })
  const atTheEnd = begun
  for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate)
  expect(begun).toBe(atTheEnd)
  expect(begun).toBeLessThan(12)
})
