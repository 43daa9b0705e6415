import { randomBytes } from "node:crypto"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { rawRequest } from "../contract/raw-request.ts"
import { openReal, type Server } from "../contract/subjects.ts"
import { realKubeMissing } from "../harness/real-kube.ts"
import { inNamespaces } from "./in-namespaces.ts"
import { CLUSTERS, NAMESPACES } from "./model-rules.ts"
import { runSchedule } from "./run-schedule.ts"
import { schedules } from "./schedule.ts"
import { OWN_NAMESPACE } from "./world.ts"

const RUNS = Number(process.env.HEADRACE_REAL_MODEL_RUNS ?? 20)
const missing = realKubeMissing()
if (missing) process.stdout.write(`model: ${missing}\n`)

/** Both clusters of the model on one API server, in namespaces that nobody has used. */
async function freshClusters(server: Server): Promise<ReadonlyMap<string, ConfigMapWriter>> {
  const clusters = new Map<string, ConfigMapWriter>()
  for (const cluster of CLUSTERS) {
    const names = new Map<string, string>()
    for (const namespace of [...NAMESPACES, OWN_NAMESPACE, "kube-system"]) {
      const name = `m-${randomBytes(5).toString("hex")}`
      const body = { apiVersion: "v1", kind: "Namespace", metadata: { name } }
      const answer = await rawRequest(server, "POST", "/api/v1/namespaces", body)
      expect(answer.status).toBe(201)
      names.set(namespace, name)
    }
    clusters.set(cluster, inNamespaces(server.adapter, names))
  }
  return clusters
}

describe.skipIf(missing)("the model on a real kube-apiserver", () => {
  it("keeps every promise", { timeout: 3_600_000 }, async () => {
    const server = await openReal()
    let played = 0
    try {
      await fc.assert(
        fc.asyncProperty(schedules(), async (schedule) => {
          played += 1
          await runSchedule(schedule, { clients: await freshClusters(server) })
        }),
        { numRuns: RUNS },
      )
    } finally {
      await server.close()
    }
    expect(played).toBe(RUNS)
  })
})
