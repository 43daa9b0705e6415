import { describe, expect, it } from "vitest"
import { KubeError } from "../../kube/kube-error.ts"
import type { Lease, LeaseReader } from "../../kube/lease-api.ts"
import { REPORT_ANNOTATION } from "../../record/node-report.ts"
import { reportedNodes } from "./reported-nodes.ts"

const NOW = Date.parse("2026-01-01T00:00:00Z")
const { signal } = new AbortController()
const clock = { now: () => NOW, sleep: async () => undefined }
const place = { namespaces: ["headrace"], record: "headrace/release", clock }

function lease(name: string, report: object | string): Lease {
  const text = typeof report === "string" ? report : JSON.stringify(report)
  return {
    namespace: "headrace",
    name,
    annotations: { [REPORT_ANNOTATION]: text },
    holder: name,
    renewed: NOW,
    duration: 180_000,
  }
}

function reader(answer: () => Lease[]): LeaseReader {
  return { listLeases: async () => answer() }
}

const OF_RELEASE = { node: "n1", record: "headrace/release", projections: [], more: 0, lowest: null }

describe("the nodes of a rollout", () => {
  it("include one whose agent is of a later version, as ill: it may show the candidate", async () => {
    const leases = [
      lease("n1", { ...OF_RELEASE, format: 1 }),
      lease("n2", { ...OF_RELEASE, node: "n2", format: 99, later: true }),
      lease("n3", { ...OF_RELEASE, node: "n3", record: "headrace/other", format: 99 }),
      lease("n4", "no JSON"),
    ]
    const nodes = await reportedNodes(
      reader(() => leases),
      place,
      signal,
    )
    expect(nodes.map(({ node, problem }) => [node, problem])).toEqual([
      ["n1", null],
      ["n2", "this version cannot read its report"],
    ])
  })

  it("are not none where they may not be read", async () => {
    const forbidden = reader(() => {
      throw new KubeError("kube/forbidden", "leases is forbidden", { status: 403 })
    })
    await expect(reportedNodes(forbidden, place, signal)).rejects.toMatchObject({ code: "kube/forbidden" })
  })
})
