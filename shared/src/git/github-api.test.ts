import { createServer, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { gzipSync } from "node:zlib"
import { request } from "@octokit/request"
import { expect, it } from "vitest"
import { boundBreaches } from "../observe/bound-breaches.ts"
import { githubApi } from "./github-api.ts"

const MEGABYTE = 2 ** 20
const JSON_TYPE = { "content-type": "application/json; charset=utf-8" }

/** What Octokit makes of an answer: its data, or the message that it throws. */
async function asked(listener: RequestListener): Promise<unknown> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  try {
    const { data } = await request("GET /user", githubApi(`http://127.0.0.1:${port}/`, MEGABYTE))
    return data
  } catch (error) {
    return (error as Error).message
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

function breaches(): number {
  return boundBreaches().find(({ bound, culprit }) => bound === "answer" && culprit === "github")?.count ?? 0
}

function endless(status: number, type: Record<string, string>): RequestListener {
  return (_, response) => {
    response.writeHead(status, type)
    const more = (): void => {
      if (!response.destroyed) response.write("x".repeat(64 * 1024), () => setImmediate(more))
    }
    more()
  }
}

it.each<[string, RequestListener]>([
  ["a body without end", endless(200, JSON_TYPE)],
  ["a body without end or type", endless(200, {})],
  ["an error without end", endless(500, JSON_TYPE)],
  [
    "a gzip bomb in Content-Encoding",
    (_, response) => {
      response.writeHead(200, { ...JSON_TYPE, "content-encoding": "gzip" })
      response.end(gzipSync(Buffer.alloc(50 * MEGABYTE, " ")))
    },
  ],
  [
    "letters of two bytes that are few as text",
    (_, response) => {
      response.writeHead(200, JSON_TYPE)
      response.end(JSON.stringify("ü".repeat(0.7 * MEGABYTE)))
    },
  ],
])("reads no more of %s than its bound, and names the server", async (_, listener) => {
  const before = breaches()
  expect(await asked(listener)).toMatch(/^http:\/\/127\.0\.0\.1:\d+ answered with more than 1048576 bytes$/)
  expect(breaches()).toBe(before + 1)
})

it("takes an answer that breaks off for none, and reads one within its bound", async () => {
  const broken = await asked((_, response) => {
    response.writeHead(200, { ...JSON_TYPE, "content-length": "100" })
    response.write('{"login":"x"', () => response.destroy())
  })
  expect(broken).toMatch(/terminated|other side closed/)
  const whole = await asked((_, response) => {
    response.writeHead(200, JSON_TYPE)
    response.end('{"login":"x"}')
  })
  expect(whole).toEqual({ login: "x" })
})
