import { reconcileFixture } from "@headrace/test/harness/reconcile-fixture"
import { expect, it } from "vitest"

it("names a proxy that answers POSTs and drops them", async () => {
  const here = reconcileFixture(
    { "a/x.txt": "one" },
    {
      changeKube: (kube) => ({
        ...kube,
        create: async (configMap) => ({
          ...configMap,
          metadata: { ...configMap.metadata, resourceVersion: "1", uid: "u" },
        }),
      }),
    },
  )
  await expect(here.run()).rejects.toMatchObject({
    code: "kube/lost-write",
    hint: expect.stringContaining("proxy"),
  })
})
