import { RULES, reconcileFixture } from "@headrace/test/harness/reconcile-fixture"
import { expect, it } from "vitest"
import type { ConfigMap } from "../../foundation/config-map.ts"
import { KubeError } from "../../kube/kube-error.ts"
import { createReconcileMemory } from "../run/memory.ts"

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

it("goes on where an earlier run was interrupted, and does not begin again", async () => {
  const count = 60
  // Each file is a shard of its own.
  const files = Array.from({ length: count }, (_, number) => [`a/${number}.txt`, `${number}`.repeat(150_000)])
  const asked = { create: 0, get: 0 }
  let most = 40
  const isShard = (name: string) => name.startsWith("shard-")
  const here = reconcileFixture(Object.fromEntries(files), {
    rules: RULES.replace("name: alpha,", "name: alpha, view: false,"),
    changeKube: (kube) => ({
      ...kube,
      async get(...args) {
        if (isShard(args[1])) asked.get += 1
        return kube.get(...args)
      },
      async create(configMap: ConfigMap) {
        if (!isShard(configMap.metadata.name)) return kube.create(configMap)
        if (++asked.create > most) throw new KubeError("kube/forbidden", "the program was killed")
        return kube.create(configMap)
      },
    }),
  })
  await expect(here.run()).rejects.toMatchObject({ code: "kube/forbidden" })
  Object.assign(asked, { create: 0, get: 0 })
  most = count
  Object.assign(here.ports, { memory: createReconcileMemory() })

  expect(await here.run()).toMatchObject({ result: "applied", failed: [] })

  // Those that show that there was an earlier run, and those that were under way then.
  const met = 8 + 8
  expect(asked.create).toBeLessThanOrEqual(count - 40 + met)
  expect(asked.get).toBeLessThanOrEqual(met)
})
