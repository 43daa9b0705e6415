import { REPORT_ANNOTATION } from "@headrace/shared/record/node-report"
import type { Token } from "@headrace/shared/record/record"
import { expect } from "vitest"
import type { TestKube } from "./with-kube.ts"

/** Writes the Lease of a node that shows this revision, as its agent does. */
export async function postLease(kube: TestKube, node: string, revision: string, token: Token): Promise<void> {
  const projections = [{ name: "jobs", path: "/jobs", revision, token, since: null, problem: null }]
  const report = { format: 1, node, record: "headrace/release", projections, more: 0, lowest: token }
  await postReport(kube, node, JSON.stringify(report), 0)
}

/** Writes a node's Lease with this report, renewed `age` seconds ago. */
export async function postReport(kube: TestKube, node: string, report: string, age: number): Promise<void> {
  const lease = {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: {
      name: `headrace-agent-${node}`,
      namespace: "headrace",
      labels: { "app.kubernetes.io/name": "headrace", "app.kubernetes.io/component": "agent" },
      annotations: { [REPORT_ANNOTATION]: report },
    },
    spec: {
      holderIdentity: node,
      leaseDurationSeconds: 180,
      renewTime: new Date(Date.now() - age * 1000).toISOString().replace(/Z$/, "000Z"),
    },
  }
  const leases = `${kube.url}/apis/coordination.k8s.io/v1/namespaces/headrace/leases`
  const headers = { authorization: `Bearer ${kube.token}`, "content-type": "application/json" }
  await fetch(`${leases}/${lease.metadata.name}`, { method: "DELETE", headers })
  const answer = await fetch(leases, { method: "POST", headers, body: JSON.stringify(lease) })
  expect(answer.status).toBe(201)
}
