import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { describe, expect, it } from "vitest"
import { createByteRoom } from "../foundation/byte-room.ts"
import { systemClock } from "../foundation/clock.ts"
import { boundBreaches } from "../observe/bound-breaches.ts"
import { createLog } from "../observe/log.ts"
import { connectCluster } from "./client-node/connect-cluster.ts"
import type { ConfigMapReader } from "./config-map-api.ts"
import { openLightClient } from "./light/open-light-client.ts"
import { transientRetry } from "./retry-transient.ts"

const log = createLog("test", { level: "silent" })
const MEGABYTE = 2 ** 20
const LIMITS = {
  answer: MEGABYTE,
  list: 3 * MEGABYTE,
  room: createByteRoom(MEGABYTE),
  culprit: "cluster hostile",
}
const CLIENTS = {
  "client-node": async (kubeconfig: string) => {
    const retry = { ...transientRetry(systemClock), attempts: 1 }
    return connectCluster("hostile", { kubeconfig }, log, { limits: LIMITS, retry, timeLimit: 20_000 })
  },
  "the light client": async (kubeconfig: string) =>
    openLightClient({ kubeconfig, log, limits: LIMITS, timeLimit: 20_000, pageSize: 250 }),
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A client of an API server that answers so. */
async function withServer(
  open: (kubeconfig: string) => Promise<ConfigMapReader & { close(): void }>,
  answer: Answer,
  use: (client: ConfigMapReader) => Promise<void>,
): Promise<void> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const folder = await mkdtemp(join(tmpdir(), "headrace-hostile-"))
  const { port } = server.address() as AddressInfo
  const kubeconfig = join(folder, "config")
  await writeFile(
    kubeconfig,
    JSON.stringify({
      "current-context": "c",
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
      clusters: [
        { name: "c", cluster: { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } },
      ],
      users: [{ name: "u", user: { token: "t" } }],
    }),
  )
  const client = await open(kubeconfig)
  try {
    await use(client)
  } finally {
    client.close()
    server.closeAllConnections()
    server.close()
    await rm(folder, { recursive: true })
  }
}

function breaches(bound: string): number {
  return boundBreaches().find((one) => one.bound === bound && one.culprit === "cluster hostile")?.count ?? 0
}

/** A list of ConfigMaps of so many bytes each, from a number on. */
function page(from: number, count: number, bytes: number, next: string): string {
  const items = Array.from({ length: count }, (_, index) => ({
    metadata: { namespace: "ci", name: `x${from + index}`, resourceVersion: "1" },
    data: { key: "x".repeat(bytes) },
  }))
  const metadata = { resourceVersion: "1", ...(next ? { continue: next } : {}) }
  return JSON.stringify({ kind: "ConfigMapList", apiVersion: "v1", metadata, items })
}

describe.each(Object.entries(CLIENTS))("%s, asking a server that means harm", (_, open) => {
  it.each<[string, Answer]>([
    [
      "a body without end",
      (_request, response) => {
        response.writeHead(200, { "content-type": "application/json" })
        const more = (): void => {
          if (!response.destroyed) response.write("x".repeat(64 * 1024), () => setImmediate(more))
        }
        more()
      },
    ],
    [
      "a body that is larger than its limit",
      (_request, response) => {
        response.writeHead(200, { "content-type": "application/json" })
        response.end(JSON.stringify({ data: "x".repeat(2 * MEGABYTE) }))
      },
    ],
    [
      "an error without end",
      (_request, response) => {
        response.writeHead(500, { "content-type": "application/json" })
        const more = (): void => {
          if (!response.destroyed) response.write("x".repeat(64 * 1024), () => setImmediate(more))
        }
        more()
      },
    ],
  ])("refuses %s by name", async (_what, answer) => {
    const before = breaches("answer")
    await withServer(open, answer, async (client) => {
      await expect(client.get("ci", "x")).rejects.toMatchObject({
        code: "kube/answer-too-large",
        message: expect.stringContaining("get ConfigMap ci/x"),
      })
    })
    expect(breaches("answer")).toBeGreaterThan(before)
  })

  it("reads no more of a gzip bomb in Content-Encoding than its limit", async () => {
    const bomb = gzipSync(Buffer.alloc(200 * MEGABYTE, " "))
    await withServer(
      open,
      (_request, response) => {
        response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" })
        response.end(bomb)
      },
      async (client) => {
        const before = process.memoryUsage().rss
        // The light client asks for no encoding, and undoes none.
        await expect(client.get("ci", "x")).rejects.toThrow(/more than|not JSON/)
        expect(process.memoryUsage().rss - before).toBeLessThan(100 * MEGABYTE)
      },
    )
  })

  it("asks for smaller pages where one is too large, and gets the whole list", async () => {
    const sizes: number[] = []
    await withServer(
      open,
      (request, response) => {
        const query = new URL(request.url ?? "", "http://x").searchParams
        const from = Number(query.get("continue") ?? 0)
        const size = Number(query.get("limit"))
        sizes.push(size)
        const count = Math.min(size, 40 - from)
        const next = from + count < 40 ? String(from + count) : ""
        response.writeHead(200, { "content-type": "application/json" })
        response.end(page(from, count, 64 * 1024, next))
      },
      async (client) => {
        const { items } = await client.list("ci", {})
        expect(items.map(({ metadata }) => metadata.name)).toEqual(
          Array.from({ length: 40 }, (__, at) => `x${at}`),
        )
        expect(sizes.slice(0, 4)).toEqual([250, 62, 15, 15])
      },
    )
  })

  /** Lists what a server answers from each place on, and expects that it comes to the bound on lists, once. */
  async function expectTooLarge(pageFrom: (from: number) => string): Promise<void> {
    const before = breaches("list")
    await withServer(
      open,
      (request, response) => {
        const from = Number(new URL(request.url ?? "", "http://x").searchParams.get("continue") ?? 0)
        response.writeHead(200, { "content-type": "application/json" })
        response.end(pageFrom(from))
      },
      async (client) => {
        await expect(client.list("ci", {})).rejects.toMatchObject({ code: "kube/list-too-large" })
      },
    )
    expect(breaches("list")).toBe(before + 1)
  }

  it("counts the bytes of a list, and not its letters", () =>
    // 0.9 MB in 0.45 million letters, four times.
    expectTooLarge((from) => page(from, 1, 450_000, from < 3 ? String(from + 1) : "").replaceAll("xx", "üü")))

  it("ends a list that has no end at its bound", () =>
    expectTooLarge((from) => page(from, 5, 64 * 1024, String(from + 5))))
})
