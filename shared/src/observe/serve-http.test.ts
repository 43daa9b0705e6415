import { until } from "@headrace/test/harness/until"
import { Registry } from "prom-client"
import { describe, expect, it } from "vitest"
import { createLog } from "./log.ts"
import { type HttpServer, openHttp, type Route } from "./serve-http.ts"

const log = createLog("test", { level: "silent" })
const OPS = { registry: new Registry(), readiness: () => ({ ready: true, reasons: [] }) }

async function withHttp(fn: (http: HttpServer) => Promise<void>): Promise<void> {
  const http = await openHttp("127.0.0.1:0", log)
  try {
    await fn(http)
  } finally {
    await http.close()
  }
}

describe("the port", () => {
  it("is alive and not ready while nothing is served yet, so that nobody restarts a plugin that waits for Redis", () =>
    withHttp(async ({ url }) => {
      const statuses = ["/healthz", "/readyz", "/hook"].map(async (path) => (await fetch(url + path)).status)
      expect(await Promise.all(statuses)).toEqual([200, 503, 503])
    }))

  it("lets a site answer what it has begun with, when another takes its place", () =>
    withHttp(async (http) => {
      let answer: (() => void) | undefined
      const slow: Route = async (_, response) => {
        await new Promise<void>((resolve) => (answer = resolve))
        response.end("by the first")
      }
      await http.serve({ routes: new Map([["/hook", slow]]), ops: OPS })
      const begun = fetch(`${http.url}/hook`)
      await until(() => answer !== undefined)
      let handedOver = false
      const serving = http.serve({ routes: new Map(), ops: OPS }).then(() => (handedOver = true))
      expect((await fetch(`${http.url}/hook`)).status).toBe(404)
      expect(handedOver).toBe(false)
      answer?.()
      expect(await (await begun).text()).toBe("by the first")
      await serving
    }))

  it.each(["nowhere", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:65536"])(
    "says how %j should be written",
    async (listen) => {
      await expect(openHttp(listen, log)).rejects.toMatchObject({ code: "http/listen" })
    },
  )

  it("listens on every address without a host, and says which port it cannot have", async () => {
    const http = await openHttp(":0", log)
    try {
      const { port } = new URL(http.url)
      expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200)
      await expect(openHttp(`:${port}`, log)).rejects.toMatchObject({ code: "http/bind" })
    } finally {
      await http.close()
    }
  })
})
