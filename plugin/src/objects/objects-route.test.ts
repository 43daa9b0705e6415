import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import { storeConfigMap } from "@headrace/shared/bundle/store-config-map"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import { sha256 } from "@headrace/shared/foundation/digest"
import { createLog } from "@headrace/shared/observe/log"
import { openHttp } from "@headrace/shared/observe/serve-http"
import { createTestCluster } from "@headrace/test/harness/with-agent"
import { withFolder } from "@headrace/test/harness/with-folder"
import { describe, expect, it } from "vitest"
import { openWebhookSecrets } from "../webhook/webhook-secrets.ts"
import { keepObjects } from "./keep-objects.ts"
import { objectsRoute } from "./objects-route.ts"
import { readFromStores } from "./read-object.ts"

const NAMESPACE = "headrace"
const TOKEN = "token-of-readers"
const log = createLog("test", { level: "silent" })
const payload = Buffer.from("what an object holds")
const digest = sha256(payload)
const object = storeConfigMap(NAMESPACE, { kind: "shard", digest, payload })
const allowed = { authorization: `Bearer ${TOKEN}` }

interface Serving {
  ask(path: string, init?: RequestInit): Promise<Response>
  /** Names of ConfigMaps read, each once for each read. */
  reads: string[]
  answers: string[]
}

/** Two clusters; the second holds `objects`. `fails`: the first cannot be read. */
function withServing(
  use: (serving: Serving) => Promise<void>,
  { objects = [object], fails = false }: { objects?: readonly ConfigMap[]; fails?: boolean } = {},
): Promise<void> {
  return withFolder(async (folder) => {
    const file = join(folder, "token")
    await writeFile(file, `${TOKEN}\n`)
    const { kube } = createTestCluster()
    for (const one of objects) await kube.create(one)
    const reads: string[] = []
    const clusters = {
      async first() {
        if (fails) throw new Error("away")
        return undefined
      },
      async second(namespace: string, name: string) {
        reads.push(name)
        return kube.get(namespace, name)
      },
    }
    const read = readFromStores({
      kube: async (cluster) => ({ get: clusters[cluster as keyof typeof clusters] }),
      namespace: NAMESPACE,
      clusters: Object.keys(clusters),
      log,
    })
    const answers: string[] = []
    const http = await openHttp("127.0.0.1:0", log)
    const tokens = await openWebhookSecrets([file], log)
    const onAnswer = (answer: string) => answers.push(answer)
    const otherwise = objectsRoute({ tokens, read: keepObjects(read, 1024), onAnswer, log })
    await http.serve({ routes: new Map(), otherwise })
    try {
      await use({ ask: (path, init) => fetch(`${http.url}${path}`, init), reads, answers })
    } finally {
      await http.close()
    }
  })
}

describe("GET /objects/DIGEST", () => {
  it("serves what the digest names, for ever, and reads it once for all readers", () =>
    withServing(async ({ ask, reads }) => {
      const path = `/objects/${digest}`
      const asked = await Promise.all(Array.from({ length: 20 }, () => ask(path, { headers: allowed })))
      for (const response of asked) {
        expect(response.status).toBe(200)
        expect(gunzipSync(await response.bytes())).toEqual(payload)
      }
      expect(asked[0]?.headers.get("cache-control")).toBe("public, max-age=31536000, immutable, no-transform")
      expect(asked[0]?.headers.get("content-encoding")).toBeNull()
      expect(reads.filter((name) => name.startsWith("shard-"))).toHaveLength(1)

      const etag = asked[0]?.headers.get("etag") ?? ""
      const again = await ask(path, { headers: { ...allowed, "if-none-match": etag } })
      expect(again.status).toBe(304)
      const head = await ask(path, { method: "HEAD", headers: allowed })
      expect([head.status, Number(head.headers.get("content-length")) > 0]).toEqual([200, true])
    }))

  it("gives nothing without a token, and does not even look", () =>
    withServing(async ({ ask, reads, answers }) => {
      for (const headers of [{}, { authorization: "Bearer other" }, { authorization: `Basic ${TOKEN}` }]) {
        const response = await ask(`/objects/${digest}`, { headers })
        expect([response.status, response.headers.get("cache-control")]).toEqual([401, "no-store"])
      }
      expect([reads, answers]).toEqual([[], ["refused", "refused", "refused"]])
    }))

  it("answers other paths, methods and digests so that no cache keeps it", () =>
    withServing(async ({ ask }) => {
      const statusOf = async (path: string, method = "GET") => {
        const response = await ask(path, { method, headers: allowed })
        return [response.status, response.headers.get("cache-control")]
      }
      for (const path of ["/", "/objects", `/objects/${digest.slice(1)}`, `/objects/${digest}/x`, "/metrics"])
        expect(await statusOf(path), path).toEqual([404, "no-store"])
      expect(await statusOf(`/objects/${sha256("another")}`)).toEqual([404, "no-store"])
      expect(await statusOf(`/objects/${digest}`, "PUT")).toEqual([405, "no-store"])
    }))

  it("does not serve an object that is not what its digest says", () => {
    const damaged = { ...object, binaryData: { "content.gz": Buffer.from("damaged").toString("base64") } }
    return withServing(
      async ({ ask }) => {
        expect((await ask(`/objects/${digest}`, { headers: allowed })).status).toBe(404)
      },
      { objects: [damaged] },
    )
  })

  it("finds an object though another cluster cannot be read, and answers 503 where only that may have it", () =>
    withServing(
      async ({ ask }) => {
        expect((await ask(`/objects/${digest}`, { headers: allowed })).status).toBe(200)
        const lacking = await ask(`/objects/${sha256("another")}`, { headers: allowed })
        expect([lacking.status, lacking.headers.get("retry-after")]).toEqual([503, "1"])
      },
      { fails: true },
    ))
})
