import { randomBytes } from "node:crypto"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { openObjectCaches } from "@headrace/agent/assemble/object-caches"
import { createStoreReader } from "@headrace/agent/assemble/store-reader"
import { keepObjects } from "@headrace/plugin/objects/keep-objects"
import { objectsRoute } from "@headrace/plugin/objects/objects-route"
import { readFromStores } from "@headrace/plugin/objects/read-object"
import { openWebhookSecrets } from "@headrace/plugin/webhook/webhook-secrets"
import { packedContent } from "@headrace/shared/bundle/store-config-map"
import { systemClock } from "@headrace/shared/foundation/clock"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import { createLog } from "@headrace/shared/observe/log"
import { openHttp } from "@headrace/shared/observe/serve-http"
import { listShards, listTargets } from "@headrace/shared/record/walk-index"
import { createTestCluster } from "../harness/with-agent.ts"
import { withFolder } from "../harness/with-folder.ts"
import { NAMESPACE, revisionObjects, writeRevision } from "../harness/write-revision.ts"

const TOKEN = "of-the-fleet"
const FILE_BYTES = 40_000
const MEMORY = 64 * 2 ** 20
const log = createLog("fleet", { level: "silent" })

export interface ColdFleet {
  agents: number
  /** Bytes of the store, packed. */
  bytes: number
  /** Other caches that the agents ask first, by their URLs. */
  before?: readonly string[]
  /** Milliseconds that a cache may take. */
  timeout?: number
}

/** What a start of all of them took from the API server. */
export interface ColdStart {
  /** Of all that the store holds. */
  copies: number
  /** Bytes that the store holds, packed. */
  bytes: number
  milliseconds: number
}

/**
 * Agents that start together without anything and read a whole store, through one plugin that serves its objects: their
 * readers and caches, each with sockets of its own, in this process. Throws when one of them could not read everything.
 */
export function startColdFleet({
  agents,
  bytes,
  before = [],
  timeout = 10_000,
}: ColdFleet): Promise<ColdStart> {
  return withFolder(async (folder) => {
    const { kube } = createTestCluster()
    const { record, stored } = await writeStore(kube, bytes)
    const taken = { bytes: 0 }
    const server = countBytes(kube, taken)
    const http = await openHttp("127.0.0.1:0", log, UNBOUNDED)
    const tokenFile = join(folder, "token")
    await writeFile(tokenFile, TOKEN)
    const stores = { kube: async () => server, namespace: NAMESPACE, clusters: ["one"], log }
    const otherwise = objectsRoute({
      tokens: await openWebhookSecrets([tokenFile], log),
      read: keepObjects(readFromStores(stores), MEMORY),
      log,
    })
    await http.serve({ routes: new Map(), otherwise, bounds: UNBOUNDED })
    const urls = [...before, http.url]
    const started = performance.now()
    try {
      await Promise.all(
        Array.from({ length: agents }, () => readAll(server, record, { urls, tokenFile, timeout })),
      )
      const milliseconds = performance.now() - started
      return { copies: taken.bytes / stored, bytes: stored, milliseconds }
    } finally {
      await http.close()
    }
  })
}

const UNBOUNDED = {
  connections: 10_000,
  connectionsPerAddress: 10_000,
  headers: 16_384,
  headersWithin: 60_000,
  requestWithin: 120_000,
}

async function writeStore(
  kube: ReturnType<typeof createTestCluster>["kube"],
  bytes: number,
): Promise<{ record: string; stored: number }> {
  // Half of what hexadecimal digits are is information: gzip leaves about as much.
  const count = Math.max(1, Math.round(bytes / (FILE_BYTES / 2)))
  const files = Array.from({ length: count }, (_, at) => [
    `f${at}`,
    randomBytes(FILE_BYTES / 2).toString("hex"),
  ])
  const revision = { seq: 1, targets: { "ci/everything": Object.fromEntries(files) } }
  const { store } = revisionObjects(revision)
  await writeRevision(kube, revision)
  const stored = store.reduce((sum, object) => sum + (packedContent(object)?.length ?? 0), 0)
  return { record: rootOf(revisionObjects(revision).record.data), stored }
}

function rootOf(data: Record<string, string> | undefined): string {
  const root = /"root":"([0-9a-f]{64})"/.exec(Object.values(data ?? {}).join("\n"))?.[1]
  if (root === undefined) throw new Error("the record names no root index")
  return root
}

function countBytes(
  kube: Pick<ConfigMapReader, "get">,
  taken: { bytes: number },
): Pick<ConfigMapReader, "get"> {
  return {
    async get(namespace, name, signal) {
      const object = await kube.get(namespace, name, signal)
      taken.bytes += (object && packedContent(object)?.length) ?? 0
      return object
    },
  }
}

async function readAll(
  reader: Pick<ConfigMapReader, "get">,
  root: string,
  settings: { urls: string[]; tokenFile: string; timeout: number },
): Promise<void> {
  const { signal } = new AbortController()
  const caches = openObjectCaches(settings, { clock: systemClock, log })
  const store = createStoreReader({ reader, caches, namespace: NAMESPACE, signal })
  try {
    for (const { index } of await listTargets(root, store.index)) {
      const shards = await listShards(index, store.index)
      await Promise.all(shards.map(({ shard }) => store.listing(shard)))
    }
  } finally {
    caches.close()
  }
}
