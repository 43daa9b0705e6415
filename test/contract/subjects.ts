import { rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { startEmbeddedKube } from "@headrace/config/local/embedded-kube/start-embedded-kube"
import { temporaryFolder } from "@headrace/config/local/temporary-folder"
import { connectCluster } from "@headrace/shared/kube/client-node/connect-cluster"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { openLightClient } from "@headrace/shared/kube/light/open-light-client"
import { createLog } from "@headrace/shared/observe/log"
import { startRealKube } from "../harness/real-kube.ts"
import { rawText } from "./raw-request.ts"

/** An API server that the contract is held against. */
export interface Server {
  url: string
  token: string
  /** Client-node's adapter. */
  adapter: ConfigMapWriter
  /** The light client; it writes by way of the adapter, since an agent writes no ConfigMaps. */
  light: ConfigMapWriter
  /** The client without a server in between; the embedded server's store alone has one. */
  inProcess?: ConfigMapWriter
  /** How many requests to write ConfigMaps it has answered. */
  writes(): Promise<number>
  /** Makes it forget what watches could go back to, as a restart does. */
  forgetHistory(): Promise<void>
  close(): Promise<void>
}

const log = createLog("contract", { level: "silent" })
/** Short enough that a test sees a watch end by itself, long enough for the bookmark two seconds before. */
const watch = { duration: 4000, silence: 20_000 }

export async function openEmbedded(): Promise<Server> {
  const folder = temporaryFolder("headrace-contract-")
  const kube = await startEmbeddedKube()
  const kubeconfig = join(folder, "kubeconfig")
  await writeFile(kubeconfig, kube.kubeconfig, { mode: 0o600 })
  const clients = await openClients(kubeconfig)
  return {
    url: kube.url,
    token: kube.token,
    adapter: clients.adapter,
    light: clients.light,
    inProcess: inProcessClient(kube.store),
    writes: async () => kube.requests.writes(),
    forgetHistory: async () => kube.store.forgetHistory(),
    async close() {
      clients.close()
      await kube.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export async function openReal(): Promise<Server> {
  const { kube, close } = await startRealKube()
  const clients = await openClients(kube.kubeconfigFile)
  return {
    url: kube.url,
    token: kube.token,
    adapter: clients.adapter,
    light: clients.light,
    writes: () => writesMeasured(kube),
    forgetHistory: () => kube.restart(),
    async close() {
      clients.close()
      await close()
    },
  }
}

/** What kube-apiserver counts itself: it says at /metrics which verbs it answered for which resource. */
async function writesMeasured(server: { url: string; token: string }): Promise<number> {
  const { text } = await rawText(server, "GET", "/metrics")
  const lines = text.split("\n").filter((line) => line.startsWith("apiserver_request_total{"))
  const writes = lines.filter(
    (line) => line.includes('resource="configmaps"') && /verb="(POST|PUT|PATCH|APPLY|DELETE)"/.test(line),
  )
  return writes.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0)
}

async function openClients(
  kubeconfig: string,
): Promise<{ adapter: ConfigMapWriter; light: ConfigMapWriter; close(): void }> {
  const adapter = await connectCluster("contract", { kubeconfig }, log, { watch })
  // Pages of one, so that every list goes through the paging.
  const reader = await openLightClient({ kubeconfig, log, watch, pageSize: 1 })
  const { create, replace, remove, otherWriter, listMetadata } = adapter
  return {
    adapter,
    light: { ...reader, create, replace, remove, otherWriter, listMetadata },
    close() {
      adapter.close()
      reader.close()
    },
  }
}
