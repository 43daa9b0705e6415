import { once } from "node:events"
import { readFile } from "node:fs/promises"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { createServer as createTlsServer } from "node:https"
import type { AddressInfo } from "node:net"
import { createLog } from "@headrace/shared/observe/log"
import { whySkipped } from "@headrace/test/harness/why-skipped"
import { withFolder } from "@headrace/test/harness/with-folder"
import { createAuthority, opensslMissing } from "@headrace/test/harness/with-tls"
import { describe, expect, it } from "vitest"
import { callConsumer } from "./call-consumer.ts"
import { sidecarSettings } from "./sidecar-settings.ts"

const log = createLog("test", { level: "silent" })
const NEVER = new AbortController().signal
const LOGIN = { REQ_USERNAME: "me", REQ_PASSWORD: "pass" }

type Answer = (response: ServerResponse, request: IncomingMessage) => void

/** Calls a consumer that gives these answers, the last one for ever; what it saw, and how long was waited, in seconds. */
async function callWith(answers: Answer[], env: Record<string, string> = {}) {
  const calls: string[] = []
  const server = createServer((request, response) => {
    const { method, url, headers } = request
    calls.push(`${method} ${url}${headers.authorization === undefined ? "" : " with login"}`)
    answers[Math.min(calls.length, answers.length) - 1]?.(response, request)
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/reload`
    return { calls, waits: await callOnce({ REQ_URL: url, ...env }) }
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

async function callOnce(env: Record<string, string>): Promise<number[]> {
  const waits: number[] = []
  const clock = {
    now: () => Date.parse("2026-01-01T00:00:00Z"),
    async sleep(milliseconds: number) {
      waits.push(milliseconds / 1000)
    },
  }
  const { call } = sidecarSettings({ LABEL: "l", FOLDER: "/f", ...env })
  if (call === undefined) throw new Error("no call")
  await callConsumer(call, clock, log, NEVER)
  return waits
}

function status(code: number, headers: Record<string, string> = {}): Answer {
  return (response) => response.writeHead(code, headers).end()
}
const cut: Answer = (response) => response.destroy()

describe("retries, as urllib3 counts them", () => {
  it("REQ_RETRY_TOTAL counts all, REQ_RETRY_READ answers that break off, REQ_RETRY_CONNECT calls that nobody takes", async () => {
    const few = { REQ_RETRY_TOTAL: "3", REQ_RETRY_CONNECT: "0", REQ_RETRY_READ: "1" }
    expect((await callWith([status(503)], few)).calls).toHaveLength(4)
    expect((await callWith([cut], few)).calls).toHaveLength(2)
    const nobody = { REQ_URL: "http://127.0.0.1:1/", REQ_RETRY_TOTAL: "3" }
    expect(await callOnce({ ...nobody, REQ_RETRY_CONNECT: "0" })).toEqual([])
    expect(await callOnce(nobody)).toEqual([0, 2.2, 4.4])
  })

  it("waits as Retry-After says, and takes it for a wish to be called again", async () => {
    const date = "Thu, 01 Jan 2026 00:00:07 GMT"
    const answers = [status(429, { "retry-after": "3" }), status(503, { "retry-after": date }), status(200)]
    expect(await callWith(answers)).toMatchObject({ calls: { length: 3 }, waits: [3, 7] })
    expect((await callWith([status(429)])).calls).toHaveLength(1)
  })

  it("ENABLE_5XX: does not repeat what is answered with 5xx", async () => {
    expect((await callWith([status(500)], { ENABLE_5XX: "true" })).calls).toHaveLength(1)
  })
})

it("follows redirects as Python's requests does, with the login to the same host alone", async () => {
  const to = (code: number, location: string) => status(code, { location })
  const post = { ...LOGIN, REQ_METHOD: "POST" }
  expect((await callWith([to(302, "/b"), to(308, "c"), status(200)], post)).calls).toEqual([
    "POST /reload with login",
    "GET /b with login",
    "GET /c with login",
  ])
  expect((await callWith([to(307, "/b"), status(200)], post)).calls[1]).toBe("POST /b with login")
  expect((await callWith([to(302, "/again")])).calls).toHaveLength(31)
  const other = await callWith([status(200)])
  expect(other.calls).toEqual(["GET /reload"])
  const elsewhere: Answer = (response, request) => {
    const port = request.headers.host?.split(":")[1]
    response.writeHead(302, { location: `http://localhost:${port}/other` }).end()
  }
  expect((await callWith([elsewhere, status(200)], LOGIN)).calls).toEqual([
    "GET /reload with login",
    "GET /other",
  ])
})

const missing = opensslMissing()

it.skipIf(missing !== undefined)(
  `REQUESTS_CA_BUNDLE: trusts its authorities; without it the call is refused${whySkipped(missing)}`,
  async () => {
    await withFolder(async (folder) => {
      const authority = await createAuthority(folder)
      const { cert, key } = await authority.certify("consumer")
      let calls = 0
      const options = { cert: await readFile(cert), key: await readFile(key) }
      const server = createTlsServer(options, (_, response) => {
        calls += 1
        response.end()
      }).listen(0, "127.0.0.1")
      await once(server, "listening")
      const REQ_URL = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`
      try {
        await callOnce({ REQ_URL, REQ_RETRY_TOTAL: "0" })
        expect(calls).toBe(0)
        await callOnce({ REQ_URL, REQ_RETRY_TOTAL: "0", REQUESTS_CA_BUNDLE: authority.ca })
        expect(calls).toBe(1)
      } finally {
        server.closeAllConnections()
        server.close()
      }
    })
  },
)
