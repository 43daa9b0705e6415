import { join } from "node:path"
import { connectCluster } from "@headrace/shared/kube/client-node/connect-cluster"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import type { LeaseReader } from "@headrace/shared/kube/lease-api"
import { type LightClient, lightClient, openLightClient } from "@headrace/shared/kube/light/open-light-client"
import { createLog } from "@headrace/shared/observe/log"
import { expect, it } from "vitest"
import { realKubeMissing, withRealKube } from "../harness/real-kube.ts"
import { serviceAccountAccess } from "../harness/service-account.ts"
import { whySkipped } from "../harness/why-skipped.ts"
import { withFolder } from "../harness/with-folder.ts"
import { withKube } from "../harness/with-kube.ts"
import { commitOf, NAMESPACE, writeRevision } from "../harness/write-revision.ts"
import { reporting, startFleet } from "./agent-fleet.ts"

/** 300 in the long form: HEADRACE_LOAD_AGENTS. */
const EMBEDDED_AGENTS = Number(process.env.HEADRACE_LOAD_AGENTS ?? 60)
const REAL_AGENTS = 50
const FILES = 20
const ACCESS = join(import.meta.dirname, "../../config/base/agent/access.yaml")
const log = createLog("agents", { level: "silent" })

/** Changes one file of a target that a fleet shows, and prints how soon and at what cost all report it. */
async function changeOneFile(
  count: number,
  server: string,
  writer: ConfigMapWriter & LeaseReader,
  openClient: () => Promise<LightClient>,
): Promise<void> {
  // In memory: nodes have a disk each, and here one disk would be what is measured.
  await withFolder(async (folder) => {
    const files = Object.fromEntries(
      Array.from({ length: FILES }, (_, at) => [`f/${at}.yaml`, `${at}: `.repeat(300)]),
    )
    await writeRevision(writer, { seq: 1, targets: { "ci/jobs": files } })
    const fleet = await startFleet(count, folder, openClient)
    try {
      await expect.poll(() => reporting(writer, commitOf(1)), { timeout: 600_000, interval: 250 }).toBe(count)
      const before = { ...fleet.traffic, cpu: cpuSeconds() }
      await writeRevision(writer, { seq: 2, targets: { "ci/jobs": { ...files, "f/7.yaml": "changed" } } })
      const swapped = performance.now()
      await expect.poll(() => reporting(writer, commitOf(2)), { timeout: 600_000, interval: 100 }).toBe(count)
      const seconds = (performance.now() - swapped) / 1000
      const requests = (fleet.traffic.requests - before.requests) / count
      const kilobytes = (fleet.traffic.bytes - before.bytes) / count / 1000
      const cpu = cpuSeconds() - before.cpu
      process.stdout.write(
        `${count} nodes, ${server}: a one-file change is reported by all ${seconds.toFixed(2)} s after the record's swap (${cpu.toFixed(2)} s of CPU in this process), ${requests.toFixed(1)} requests and ${kilobytes.toFixed(1)} kB each\n`,
      )
      // Two indexes, one shard and the Lease; not the other shards again, and not the Lease read first.
      expect(requests).toBeLessThan(5)
    } finally {
      await fleet.close()
    }
  })
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000_000
}

it(`shows a one-file change on ${EMBEDDED_AGENTS} nodes and hears of it from each`, {
  timeout: 600_000,
}, async () => {
  await withKube(async ({ kubeconfigFile }) => {
    const writer = await connectCluster("fleet", { kubeconfig: kubeconfigFile }, log)
    try {
      await changeOneFile(EMBEDDED_AGENTS, "embedded server", writer, () =>
        openLightClient({ kubeconfig: kubeconfigFile, log }),
      )
    } finally {
      writer.close()
    }
  })
})

const missing = realKubeMissing()
if (missing) process.stdout.write(`${REAL_AGENTS} nodes: ${missing}\n`)

it.skipIf(missing)(
  `does so on ${REAL_AGENTS} nodes of a real kube-apiserver, with the permissions of the manifest${whySkipped(missing)}`,
  {
    timeout: 600_000,
  },
  async () => {
    await withRealKube(async (kube) => {
      const access = await serviceAccountAccess(kube, ACCESS, NAMESPACE)
      const writer = await connectCluster("fleet", { kubeconfig: kube.kubeconfigFile }, log)
      try {
        await changeOneFile(REAL_AGENTS, "kube-apiserver", writer, async () => lightClient(access, { log }))
      } finally {
        writer.close()
      }
    })
  },
)
