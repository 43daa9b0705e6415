import { reconcileFixture } from "@headrace/test/harness/reconcile-fixture"
import { expect, it } from "vitest"
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
