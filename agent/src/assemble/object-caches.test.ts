import { createServer, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { gzipSync } from "node:zlib"
import { packedContent } from "@headrace/shared/bundle/store-config-map"
import { systemClock } from "@headrace/shared/foundation/clock"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import { createLog } from "@headrace/shared/observe/log"
import { createTestCluster, projectionYaml, untilShown, withAgent } from "@headrace/test/harness/with-agent"
import { withFolder } from "@headrace/test/harness/with-folder"
import { NAMESPACE, writeRevision } from "@headrace/test/harness/write-revision"
import { describe, expect, it } from "vitest"
import { type CacheAnswer, openObjectCaches } from "./object-caches.ts"

const log = createLog("test", { level: "silent" })
const TIMEOUT_MS = 300

/** A cache on loopback; undefined: a port where nothing listens. */
async function withCache<T>(
  answer: RequestListener | undefined,
  use: (url: string, asked: string[]) => Promise<T>,
): Promise<T> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? "")
    answer?.(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = () => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  }
  if (answer === undefined) await close()
  try {
    return await use(url, asked)
  } finally {
    if (answer !== undefined) await close()
  }
}

/** Answers from the store, whatever the kind of the object. */
function honest(items: readonly ConfigMap[]): RequestListener {
  const contents = new Map(
    items.map((item) => [
      `/objects/${item.metadata.annotations?.["headrace.dev/digest"]}`,
      packedContent(item),
    ]),
  )
  return (request, response) => {
    const content = contents.get(request.url ?? "")
    response.writeHead(content ? 200 : 404).end(content)
  }
}

const hostile: [name: string, answer: RequestListener | undefined][] = [
  ["is not there", undefined],
  ["says nothing", () => undefined],
  ["answers 500", (_, response) => response.writeHead(500).end("x")],
  ["answers other content", (_, response) => response.end(gzipSync("other content"))],
  ["answers no gzip", (_, response) => response.end("plain")],
  ["answers a gzip bomb", (_, response) => response.end(gzipSync(Buffer.alloc(50_000_000)))],
  ["answers nothing", (_, response) => response.end()],
  [
    "cuts its answer off",
    (_, response) => {
      response.writeHead(200, { "content-length": "1000" })
      response.write("x")
      response.destroy()
    },
  ],
  [
    "answers without end",
    (_, response) => {
      const more = (error?: Error | null) => error ?? response.write(Buffer.alloc(100_000), more)
      more()
    },
  ],
  ["sends elsewhere", (_, response) => response.writeHead(302, { location: "http://127.0.0.1:9/" }).end()],
]

describe("an agent with a cache", () => {
  it.each(hostile)("shows everything though it %s", (_, answer) =>
    withFolder((folder) =>
      withCache(answer, async (url) => {
        const { kube } = createTestCluster()
        const commit = await writeRevision(kube, { seq: 1, targets: { "ci/x": { a: "1", b: "2" } } })
        await withAgent(kube, settingsOf(folder, url), (agent) => untilShown(agent, commit))
      }),
    ),
  )

  it("reads each object from the cache that has it, and none from the API server", () =>
    withFolder(async (folder) => {
      const { kube } = createTestCluster()
      const commit = await writeRevision(kube, {
        seq: 1,
        targets: { "ci/x": { a: "1" } },
      })
      const { items } = await kube.list(NAMESPACE, {})
      const read: string[] = []
      const reader = {
        ...kube,
        get: (namespace: string, name: string) => {
          read.push(name)
          return kube.get(namespace, name)
        },
      }
      await withCache(honest(items), (url, asked) =>
        withAgent(reader, settingsOf(folder, url), async (agent) => {
          await untilShown(agent, commit)
          expect(asked.length).toBeGreaterThan(2)
        }),
      )
      expect(read.filter((name) => /^(shard|index)-/.test(name))).toEqual([])
    }))
})

function settingsOf(folder: string, url: string): string {
  return projectionYaml(
    folder,
    "[{configMap: ci/x}]",
    `objects: {urls: ["${url}"], timeout: ${TIMEOUT_MS}ms}\n`,
  )
}

describe("openObjectCaches", () => {
  const { signal } = new AbortController()
  const digest = "a".repeat(64)

  it("leaves a cache alone that failed, for a growing while, and asks the next one meanwhile", () =>
    withCache(
      (_, response) => response.writeHead(503).end(),
      (bad, askedBad) =>
        withCache(
          (_, response) => response.end("content"),
          async (good, askedGood) => {
            let now = 1_000_000
            const clock = { ...systemClock, now: () => now }
            const answers: CacheAnswer[] = []
            const caches = openObjectCaches(
              { urls: [bad, good], timeout: 60_000 },
              { clock, log, onAnswer: (answer) => answers.push(answer) },
            )
            const read = () => caches.read(digest, String, signal)
            for (let time = 0; time < 5; time++) expect(await read()).toBe("content")
            expect([askedBad.length, askedGood.length]).toEqual([1, 5])
            now += 2_000
            await read()
            expect(askedBad).toHaveLength(2)
            now += 1_900
            await read()
            expect(askedBad).toHaveLength(2)
            expect(answers).toEqual(["failed", "hit", "hit", "hit", "hit", "hit", "failed", "hit", "hit"])
            caches.close()
          },
        ),
    ))

  it("goes on at once when a cache lacks an object, and does not count it as a failure", () =>
    withCache(
      (_, response) => response.writeHead(404).end(),
      async (url, asked) => {
        const caches = openObjectCaches({ urls: [url], timeout: 60_000 }, { clock: systemClock, log })
        for (let time = 0; time < 3; time++) expect(await caches.read(digest, String, signal)).toBeUndefined()
        expect(asked).toHaveLength(3)
        caches.close()
      },
    ))
})
