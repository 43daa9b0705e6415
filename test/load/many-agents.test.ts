import { join } from "node:path"
import { createAgent } from "@headrace/agent/project/agent"
import { systemClock } from "@headrace/shared/foundation/clock"
import { inProcessClient } from "@headrace/shared/kube/embedded/in-process-client"
import { openLightClient } from "@headrace/shared/kube/light/open-light-client"
import { createLog } from "@headrace/shared/observe/log"
import { NodeReport, REPORT_ANNOTATION } from "@headrace/shared/record/node-report"
import { AgentSettings } from "@headrace/shared/settings/agent-settings"
import { parseSettings } from "@headrace/shared/settings/parse-settings"
import { expect, it } from "vitest"
import { withFolder } from "../harness/with-folder.ts"
import { type TestKube, withKube } from "../harness/with-kube.ts"
import { commitOf, writeRevision } from "../harness/write-revision.ts"

const AGENTS = 300
const FILES = 20
const log = createLog("agents", { level: "silent" })

interface Instance {
  ended: Promise<void>
  close(): void
}

/** A whole agent, with connection, watch, projection on disk and Lease, but in this process. */
async function startInstance(
  folder: string,
  kube: TestKube,
  number: number,
  signal: AbortSignal,
): Promise<Instance> {
  const yaml = `version: 1
record: headrace/release
report: {node: node-${number}}
projections:
  jobs: {path: ${join(folder, `node-${number}`)}, durability: none, keep: {age: 0s, revisions: 1}, from: [{configMap: ci/jobs}]}
`
  const client = await openLightClient({ kubeconfig: kube.kubeconfigFile, log })
  const settings = parseSettings(yaml, "agent.yaml", AgentSettings)
  const agent = createAgent(settings, { reader: client, leases: client, clock: systemClock, log })
  return { ended: agent.run(signal), close: client.close }
}

function requestCount(kube: TestKube): number {
  return Object.values(kube.requests.all()).reduce((sum, count) => sum + count, 0)
}

interface LeaseList {
  items: { metadata: { annotations: Record<string, string> } }[]
}

/** How many nodes' Leases say that they show this commit. */
async function reporting(kube: TestKube, commit: string): Promise<number> {
  const path = "/apis/coordination.k8s.io/v1/namespaces/headrace/leases"
  const answer = await fetch(kube.url + path, { headers: { authorization: `Bearer ${kube.token}` } })
  const { items } = (await answer.json()) as LeaseList
  const reports = items.map(({ metadata }) =>
    NodeReport.parse(JSON.parse(metadata.annotations[REPORT_ANNOTATION] ?? "")),
  )
  return reports.filter(({ projections }) => projections.every(({ revision }) => revision === commit)).length
}

it(`shows a one-file change on ${AGENTS} nodes and hears of it from each`, { timeout: 180_000 }, async () => {
  await withFolder(async (folder) => {
    await withKube(async (kube) => {
      const writer = inProcessClient(kube.store)
      const files = Object.fromEntries(
        Array.from({ length: FILES }, (_, at) => [`f/${at}.yaml`, `${at}: `.repeat(300)]),
      )
      await writeRevision(writer, { seq: 1, targets: { "ci/jobs": files } })
      const stop = new AbortController()
      const instances = await Promise.all(
        Array.from({ length: AGENTS }, (_, number) => startInstance(folder, kube, number, stop.signal)),
      )
      try {
        await expect.poll(() => reporting(kube, commitOf(1)), { timeout: 90_000, interval: 250 }).toBe(AGENTS)
        const before = requestCount(kube)
        const sent = kube.requests.bytesSent
        const started = performance.now()
        await writeRevision(writer, { seq: 2, targets: { "ci/jobs": { ...files, "f/7.yaml": "changed" } } })
        await expect.poll(() => reporting(kube, commitOf(2)), { timeout: 60_000, interval: 100 }).toBe(AGENTS)
        const seconds = (performance.now() - started) / 1000
        const kilobytes = (kube.requests.bytesSent - sent) / AGENTS / 1000
        const requests = (requestCount(kube) - before) / AGENTS
        process.stdout.write(
          `${AGENTS} nodes reported a one-file change after ${seconds.toFixed(2)} s, ${requests.toFixed(1)} requests and ${kilobytes.toFixed(1)} kB each\n`,
        )
        // Two indexes, one shard, the Lease read and written, and our own looks; not the other shards again.
        expect(requests).toBeLessThan(9)
      } finally {
        stop.abort(new Error("the test is over"))
        await Promise.all(instances.map(({ ended }) => ended))
        for (const { close } of instances) close()
      }
    })
  })
})
