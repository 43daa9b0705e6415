import { REPORT_ANNOTATION } from "@headrace/shared/record/node-report"
import type { Token } from "@headrace/shared/record/record"
import { expect } from "vitest"
import type { TestKube } from "./with-kube.ts"

/** The Lease of a node that shows this revision of `headrace/release`, as its agent writes it. */
export function nodeLease(node: string, revision: string, token: Token) {
  return leaseWith(node, reportOf(node, revision, token), 0)
}

/** Writes the Lease of a node that shows this revision, as its agent does. */
export async function postLease(kube: TestKube, node: string, revision: string, token: Token): Promise<void> {
  await postReport(kube, node, reportOf(node, revision, token), 0)
}

function reportOf(node: string, revision: string, token: Token): string {
  const projections = [{ name: "jobs", path: "/jobs", revision, token, since: null, problem: null }]
  return JSON.stringify({
    format: 1,
    node,
    record: "headrace/release",
    projections,
    more: 0,
    lowest: token,
  })
}

/** Writes a node's Lease with this report, renewed `age` seconds ago. */
export async function postReport(kube: TestKube, node: string, report: string, age: number): Promise<void> {
  const lease = leaseWith(node, report, age)
  const leases = `${kube.url}/apis/coordination.k8s.io/v1/namespaces/headrace/leases`
  const headers = { authorization: `Bearer ${kube.token}`, "content-type": "application/json" }
  await fetch(`${leases}/${lease.metadata.name}`, { method: "DELETE", headers })
  const answer = await fetch(leases, { method: "POST", headers, body: JSON.stringify(lease) })
  expect(answer.status).toBe(201)
}

function leaseWith(node: string, report: string, age: number) {
  return {
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
}
