import { request } from "node:http"
import { createLog } from "@headrace/shared/observe/log"
import { type HttpServer, openHttp } from "@headrace/shared/observe/serve-http"
import { sampleFleet } from "@headrace/test/harness/sample-fleet"
import { expect, it } from "vitest"
import { STATUS_PATH, statusRoute } from "./status-route.ts"

it("serves the page to this machine, and to no other name that points at it", () =>
  withPage("loopback", async ({ url }) => {
    const answer = await fetch(url + STATUS_PATH)
    expect(answer.status).toBe(200)
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'")
    expect(await answer.text()).toContain("build01")
    expect(await statusFor(url, "localhost:9090")).toBe(200)
    expect(await statusFor(url, "attacker.example")).toBe(403)
    expect((await fetch(url + STATUS_PATH, { method: "POST" })).status).toBe(405)
  }))

it("serves it under any name where the settings let everyone read it", () =>
  withPage("all", async ({ url }) => {
    expect(await statusFor(url, "headrace.example")).toBe(200)
  }))

async function withPage(
  readers: "loopback" | "all",
  use: (http: HttpServer) => Promise<void>,
): Promise<void> {
  const http = await openHttp("127.0.0.1:0", createLog("test", { level: "silent" }))
  try {
    await http.serve({ routes: new Map([[STATUS_PATH, statusRoute(async () => sampleFleet(3), readers)]]) })
    await use(http)
  } finally {
    await http.close()
  }
}

/** fetch sets the Host header itself. */
function statusFor(url: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(url + STATUS_PATH, { headers: { host } }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    asked.on("error", reject).end()
  })
}
