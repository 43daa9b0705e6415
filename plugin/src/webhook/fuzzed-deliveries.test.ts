import { connect } from "node:net"
import { FakeBranch } from "@headrace/test/harness/fake-reconciler"
import { anyBody, hex, spoiledEvent } from "@headrace/test/harness/spoiled-events"
import { until } from "@headrace/test/harness/until"
import { pushEvent, type TestPlugin, WEBHOOK_SECRET, withPlugin } from "@headrace/test/harness/with-plugin"
import { withRedis } from "@headrace/test/harness/with-redis"
import { Webhooks } from "@octokit/webhooks"
import fc from "fast-check"
import { describe, expect, it } from "vitest"

const RUNS = 300

/** Runs `attack` on a plugin at rest; afterwards it must live, and nothing may have been enqueued. */
function withstands(attack: (plugin: TestPlugin, branch: FakeBranch) => Promise<void>): Promise<void> {
  return withRedis(({ url }) => {
    const branch = new FakeBranch()
    return withPlugin({ redis: url, reconciler: branch }, async (plugin) => {
      await until(() => branch.runs.length === 2)
      await until(async () => (await plugin.lanes.queue("build01").getActiveCount()) === 0)
      await attack(plugin, branch)
      expect(branch.runs).toHaveLength(2)
      expect(await plugin.lanes.redis.zcard(plugin.lanes.key("deliveries"))).toBe(0)
      expect((await fetch(`${plugin.url}/healthz`)).status).toBe(200)
      // The one that is right still gets through.
      expect((await plugin.deliver("push", pushEvent(branch.merge()))).status).toBe(202)
    })
  })
}

const headerName = fc.constantFrom(
  "content-type",
  "content-length",
  "content-encoding",
  "transfer-encoding",
  "x-github-event",
  "x-github-delivery",
  "x-hub-signature-256",
  "expect",
  "host",
)
const headerValue = fc.oneof(
  fc.string(),
  fc.constantFrom(
    "application/json",
    "push",
    "pull_request",
    "chunked",
    "gzip",
    "100-continue",
    "-1",
    "1e9",
    "sha256=",
  ),
)

describe("the webhook", () => {
  it("enqueues nothing for any signed body that is no event of a followed branch", () =>
    withstands(async (plugin) => {
      const webhooks = new Webhooks({ secret: WEBHOOK_SECRET })
      const property = fc.asyncProperty(
        fc.oneof(anyBody, spoiledEvent, spoiledEvent),
        async ({ event, body }) => {
          const signature = body === "" ? "sha256=" : await webhooks.sign(body)
          const answer = await send(plugin, { event, body, signature })
          expect([200, 400, 401]).toContain(answer.status)
        },
      )
      await fc.assert(property, { numRuns: RUNS })
    }))

  it("enqueues nothing for a right body with any signature but the right one", () =>
    withstands(async (plugin, branch) => {
      const body = JSON.stringify(pushEvent(branch.merge()))
      const right = await new Webhooks({ secret: WEBHOOK_SECRET }).sign(body)
      const nearly = fc.nat({ max: right.length - 1 }).map((at) => flip(right, at))
      const signature = fc.oneof(
        nearly,
        hex(64).map((text) => `sha256=${text}`),
      )
      const property = fc.asyncProperty(signature, async (wrong) => {
        const answer = await send(plugin, { event: "push", body, signature: wrong })
        expect([400, 401]).toContain(answer.status)
      })
      await fc.assert(property, { numRuns: RUNS })
    }))

  it("outlives any bytes on its port", () =>
    withstands(async (plugin) => {
      const header = fc.tuple(headerName, headerValue).map(([name, value]) => `${name}: ${value}`)
      const requestLine = fc.constantFrom(
        "POST /hook HTTP/1.1",
        "GET /hook HTTP/1.1",
        "POST //h:x HTTP/1.1",
        "\0",
        "POST * HTTP/1.1",
      )
      const request = fc
        .tuple(requestLine, fc.array(header, { maxLength: 8 }), fc.uint8Array({ maxLength: 200 }))
        .map(([line, headers, body]) =>
          Buffer.concat([Buffer.from(`${[line, ...headers].join("\r\n")}\r\n\r\n`), body]),
        )
      await fc.assert(
        fc.asyncProperty(request, (bytes) => throwBytes(plugin.url, bytes)),
        { numRuns: RUNS },
      )
    }))
})

async function send(
  plugin: TestPlugin,
  { event, body, signature }: { event: string; body: string; signature: string },
): Promise<Response> {
  const headers = {
    "content-type": "application/json",
    "x-github-event": event,
    "x-github-delivery": "fuzz",
    "x-hub-signature-256": signature,
  }
  const response = await fetch(`${plugin.url}/hook`, { method: "POST", body, headers })
  await response.text()
  return response
}

function flip(text: string, at: number): string {
  const other = text[at] === "0" ? "1" : "0"
  return text.slice(0, at) + other + text.slice(at + 1)
}

/** Sends bytes and hangs up once the server has answered, or has had a moment to choke on them. */
function throwBytes(url: string, bytes: Uint8Array): Promise<void> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => socket.end(bytes))
    const moment = setTimeout(() => socket.destroy(), 50)
    socket.on("data", () => socket.destroy())
    socket.on("error", () => undefined)
    socket.on("close", () => {
      clearTimeout(moment)
      resolve()
    })
  })
}
