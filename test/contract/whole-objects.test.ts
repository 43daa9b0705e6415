import { connectCluster } from "@headrace/shared/kube/client-node/connect-cluster"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { createLog } from "@headrace/shared/observe/log"
import { describe, expect, it } from "vitest"
import { realKubeMissing, withRealKube } from "../harness/real-kube.ts"
import { whySkipped } from "../harness/why-skipped.ts"
import { withKube } from "../harness/with-kube.ts"

const log = createLog("test", { level: "silent" })
const KEYS = ["__proto__", "constructor", "toString", "plain"]
const OWNER = {
  apiVersion: "v1",
  kind: "ConfigMap",
  name: "owner",
  uid: "0c1f9a52-1111-2222-3333-444455556666",
}
const metadata = {
  name: "whole",
  namespace: "default",
  ownerReferences: [OWNER],
  finalizers: ["example.com/hold"],
  annotations: { "example.com/theirs": "a" },
}

/** Whatever an API server has of a ConfigMap survives a read and a replace. */
async function expectWhole(kube: ConfigMapWriter): Promise<void> {
  const data = Object.fromEntries(KEYS.map((key) => [key, `value of ${key}`]))
  const created = await kube.create({ metadata, data, binaryData: { bytes: "AAEC" } })
  expect(created.metadata).toMatchObject(metadata)
  const replaced = await kube.replace({
    ...created,
    data: Object.fromEntries([...Object.entries(data), ["new", "1"]]),
  })
  expect(replaced.metadata).toMatchObject(metadata)
  const found = await kube.get("default", "whole")
  expect(found?.metadata).toMatchObject(metadata)
  expect(found?.metadata.uid).toBe(created.metadata.uid)
  expect(Object.entries(found?.data ?? {}).sort()).toEqual([...Object.entries(data), ["new", "1"]].sort())
  expect(found?.binaryData).toEqual({ bytes: "AAEC" })
  const { items } = await kube.list("default", { fieldSelector: "metadata.name=whole" })
  expect(Object.keys(items[0]?.data ?? {}).sort()).toEqual([...KEYS, "new"].sort())
  const [listed] = await kube.listMetadata("default", { fieldSelector: "metadata.name=whole" })
  expect(listed).toMatchObject(metadata)
}

describe("client-node's adapter", () => {
  it("reads and writes whole ConfigMaps on the embedded API server", () =>
    withKube(async (kube) => {
      const client = await connectCluster("east", { kubeconfig: kube.kubeconfigFile }, log)
      await expectWhole(client)
      client.close()
    }))

  it.skipIf(realKubeMissing() !== undefined)(
    `reads and writes whole ConfigMaps on a real kube-apiserver, and sees one that is being deleted${whySkipped(realKubeMissing())}`,
    () =>
      withRealKube(async (kube) => {
        const client = await connectCluster("east", { kubeconfig: kube.kubeconfigFile }, log)
        await expectWhole(client)
        const whole = await client.get("default", "whole")
        if (whole) await client.remove(whole)
        const dying = await client.get("default", "whole")
        expect(dying?.metadata.deletionTimestamp).toMatch(/^\d{4}-/)
        client.close()
      }),
    120_000,
  )
})
