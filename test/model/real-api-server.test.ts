import { randomBytes } from "node:crypto"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { rawRequest } from "../contract/raw-request.ts"
import { openReal, type Server } from "../contract/subjects.ts"
import { realKubeMissing } from "../harness/real-kube.ts"
import { whySkipped } from "../harness/why-skipped.ts"
import { inNamespaces } from "./in-namespaces.ts"
import { CLUSTERS, NAMESPACES } from "./model-rules.ts"
import { OWN_NAMESPACE } from "./model-sources.ts"
import { runSchedule } from "./run-schedule.ts"
import { schedules } from "./schedule.ts"

/** 500 in the long form. */
const RUNS = Number(process.env.HEADRACE_REAL_MODEL_RUNS ?? 20)
const SEED = Number(process.env.HEADRACE_MODEL_SEED ?? 20_260_103)
/** Schedules that are played side by side, each in namespaces of its own: most of the time is spent waiting. */
const AT_ONCE = 4
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

async function playMany(server: Server, runs: number, seed: number): Promise<number> {
  let played = 0
  await fc.assert(
    fc.asyncProperty(schedules(), async (schedule) => {
      played += 1
      await runSchedule(schedule, { clients: await freshClusters(server) })
    }),
    { numRuns: runs, seed },
  )
  return played
}

describe.skipIf(missing)(`the model on a real kube-apiserver${whySkipped(missing)}`, () => {
  it("keeps every promise", { timeout: 3_600_000 }, async () => {
    const server = await openReal()
    const start = performance.now()
    try {
      const shares = Array.from({ length: AT_ONCE }, (_, share) => Math.floor((RUNS + share) / AT_ONCE))
      const played = await Promise.all(shares.map((runs, share) => playMany(server, runs, SEED + share)))
      expect(played.reduce((sum, count) => sum + count)).toBe(RUNS)
    } finally {
      await server.close()
    }
    const seconds = Math.round((performance.now() - start) / 1000)
    process.stdout.write(`real kube-apiserver: ${RUNS} schedules hold (seed ${SEED}, ${seconds} s)\n`)
  })
})
