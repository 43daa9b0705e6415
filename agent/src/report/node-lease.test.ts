import { join } from "node:path"
import { type LightClient, openLightClient } from "@headrace/shared/kube/light/open-light-client"
import { createLog } from "@headrace/shared/observe/log"
import { NodeReport, REPORT_ANNOTATION } from "@headrace/shared/record/node-report"
import { withAgentProcess } from "@headrace/test/harness/with-agent-process"
import { withFolder } from "@headrace/test/harness/with-folder"
import { type TestKube, withKube } from "@headrace/test/harness/with-kube"
import { expect, it } from "vitest"
import { LEASES } from "../../../config/local/embedded-kube/resource-kind.ts"
import { leaseName, type NodeLease, openNodeLease, podIdentity } from "./node-lease.ts"
import { nodeReport } from "./node-report.ts"

const log = createLog("test", { level: "silent" })
const { signal } = new AbortController()
const NAME = leaseName("n")

async function withClient(test: (client: LightClient, kube: TestKube) => Promise<void>): Promise<void> {
  await withKube(async (kube) => {
    const client = await openLightClient({ kubeconfig: kube.kubeconfigFile, log })
    try {
      await test(client, kube)
    } finally {
      client.close()
    }
  })
}

function leaseOf(kube: TestKube) {
  return kube.store.has(LEASES, "headrace", NAME) ? kube.store.get(LEASES, "headrace", NAME) : undefined
}

it("asks for nothing but the write, reads it again when another writer wrote it, and creates it again when it is gone", async () => {
  await withClient(async (client, kube) => {
    const place = { namespace: "headrace", node: "n", seconds: 180 }
    const requests = () => ["get", "create", "update"].map((verb) => kube.requests.get(verb, "leases"))
    const write = (by: NodeLease, record: string) => by.write(nodeReport("n", record, []), Date.now(), signal)
    const recordNow = () =>
      NodeReport.parse(JSON.parse(leaseOf(kube)?.metadata.annotations?.[REPORT_ANNOTATION] ?? "")).record
    const mine = openNodeLease(client, place)
    for (const record of ["r/1", "r/2", "r/3"]) await write(mine, record)
    expect(requests()).toEqual([1, 1, 2])
    await write(openNodeLease(client, place), "r/4")
    await write(mine, "r/5")
    expect(recordNow()).toBe("r/5")
    kube.store.remove(LEASES, "headrace", NAME)
    await write(mine, "r/6")
    expect(recordNow()).toBe("r/6")
  })
})

it("writes no report that no program could read", async () => {
  await withClient(async (client, kube) => {
    const lease = openNodeLease(client, { namespace: "headrace", node: "n", seconds: 180 })
    const report = nodeReport("n", "r/1", [])
    await lease.write(report, Date.now(), signal)
    const before = leaseOf(kube)
    for (const unreadable of [
      { ...report, more: 0.5 },
      { ...report, lowest: { epoch: -1, seq: 1 } },
    ]) {
      const written = lease.write(unreadable, Date.now(), signal)
      await expect(written).rejects.toMatchObject({ code: "record/unreadable-report" })
    }
    expect(leaseOf(kube)).toEqual(before)
    await lease.write(nodeReport("n", "r/2", []), Date.now(), signal)
    expect(leaseOf(kube)?.metadata.annotations?.[REPORT_ANNOTATION]).toContain("r/2")
  })
})

it("belongs to the pod that reports, when that is in the Lease's namespace, and is removed once", async () => {
  await withClient(async (client, kube) => {
    const pod = { HEADRACE_POD_NAME: "agent-x", HEADRACE_POD_UID: "u", HEADRACE_POD_NAMESPACE: "headrace" }
    expect(podIdentity("elsewhere", pod)).toBeUndefined()
    expect(podIdentity("headrace", {})).toBeUndefined()
    const owner = podIdentity("headrace", pod)
    const lease = openNodeLease(client, { namespace: "headrace", node: "n", seconds: 180, owner })
    await lease.write(nodeReport("n", undefined, []), Date.now(), signal)
    expect(leaseOf(kube)?.metadata).toMatchObject({
      ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "agent-x", uid: "u" }],
    })
    await lease.remove(signal)
    await lease.remove(signal)
    expect(leaseOf(kube)).toBeUndefined()
  })
})

it.each([
  { removeAtEnd: true, left: 0 },
  { removeAtEnd: false, left: 1 },
])(
  "leaves $left Leases behind when an agent ends, with removeAtEnd: $removeAtEnd",
  async ({ removeAtEnd, left }) => {
    await withFolder((folder) =>
      withKube(async (kube) => {
        const live = `{live: {configMap: ci/x}, optional: true}`
        const settings = `report: {node: n, removeAtEnd: ${removeAtEnd}}
projections: {shown: {path: ${join(folder, "shown")}, from: [${live}]}}
`
        await withAgentProcess({ folder, kubeconfigFile: kube.kubeconfigFile, settings }, async () => {
          await expect.poll(() => leaseOf(kube)).toBeDefined()
        })
        expect(leaseOf(kube) === undefined ? 0 : 1).toBe(left)
      }),
    )
  },
)
