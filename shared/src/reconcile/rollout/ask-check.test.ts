import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import type { CheckAnswer } from "../../rollout/policy-checks.ts"
import { askCheck } from "./ask-check.ts"

const { signal } = new AbortController()
const asked: string[] = []
let answers: (request: IncomingMessage, response: ServerResponse) => void = () => undefined
const server = createServer((request, response) => {
  asked.push(request.url ?? "")
  answers(request, response)
})
let origin = ""

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

function http(path: string, milliseconds?: number, given = signal): Promise<CheckAnswer> {
  return askCheck({ kind: "http", url: `${origin}${path}`, every: 1000 }, given, milliseconds)
}

function red(why: string) {
  return { passes: false, why: expect.stringContaining(why) }
}

describe("an http check", () => {
  it("passes with any 2xx, without waiting for the body, and fails with anything else", async () => {
    answers = ({ url }, response) => {
      response.writeHead(Number(url?.slice(1)))
      if (url === "/200") response.write("the beginning of an answer that never ends")
      else response.end()
    }
    expect(await http("/200")).toEqual({ passes: true })
    expect(await http("/204")).toEqual({ passes: true })
    expect(await http("/304")).toEqual(red("answered 304"))
    expect(await http("/503")).toEqual(red("answered 503"))
  })

  it("follows a redirect to the same host and port, not for ever, and none to another one", async () => {
    answers = ({ url = "" }, response) => {
      const to = { "/here": "/well", "/round": "/round", "/away": "http://127.0.0.2:1/well" }[url]
      response.writeHead(to === undefined ? 200 : 302, to === undefined ? {} : { location: to })
      response.end()
    }
    expect(await http("/here")).toEqual({ passes: true })
    expect(await http("/round")).toEqual(red("more than 3 redirects"))
    expect(await http("/away")).toEqual(red("answered 302, and leads to http://127.0.0.2:1"))
  })

  it("fails without an answer in time, and rejects with the reason of its caller", async () => {
    answers = () => undefined
    expect(await http("/", 50)).toEqual(red("no answer within 50 ms"))
    answers = ({ socket }) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
    }
    expect(await http("/", 500)).toMatchObject({ passes: false })
    answers = () => undefined
    const given = new AbortController()
    const answer = http("/", 60_000, given.signal)
    given.abort(new Error("we stop"))
    await expect(answer).rejects.toThrow("we stop")
  })

  it("fails where nobody listens, and with a redirect to what is no URL", async () => {
    const nobody = { kind: "http" as const, url: "http://127.0.0.1:1/", every: 1000 }
    expect(await askCheck(nobody, signal)).toEqual(red("ECONNREFUSED"))
    answers = (_, response) => response.writeHead(302, { location: "http://[" }).end()
    expect(await http("/")).toMatchObject({ passes: false })
  })

  it("goes through no proxy of the environment", async () => {
    answers = (_, response) => response.end()
    vi.stubEnv("http_proxy", "http://127.0.0.1:1")
    try {
      expect(await http("/")).toEqual({ passes: true })
    } finally {
      vi.unstubAllEnvs()
    }
  })
})

describe("a prometheus check", () => {
  async function prometheus(body: unknown, status = 200, path = ""): Promise<CheckAnswer> {
    answers = (_, response) => {
      response.writeHead(status, { "content-type": "application/json" })
      response.end(typeof body === "string" ? body : JSON.stringify(body))
    }
    const check = { kind: "prometheus" as const, url: `${origin}${path}`, query: "a + b", max: 1, every: 1 }
    return askCheck(check, signal)
  }

  function vector(...values: string[]) {
    const result = values.map((value) => ({ metric: { job: "x" }, value: [1_700_000_000.123, value] }))
    return { status: "success", data: { resultType: "vector", result } }
  }

  it("passes when every value is at most max", async () => {
    expect(await prometheus(vector("0.5", "1", "-Inf"))).toEqual({ passes: true })
    const scalar = { status: "success", data: { resultType: "scalar", result: [1_700_000_000, "1"] } }
    expect(await prometheus(scalar, 200, "/behind/")).toEqual({ passes: true })
    expect(asked.slice(-2)).toEqual(["/api/v1/query?query=a+%2B+b", "/behind/api/v1/query?query=a+%2B+b"])
  })

  it.each(["1.5", "NaN", "+Inf", "", "much"])("fails with one value of %j", async (value) => {
    expect(await prometheus(vector("0", value))).toEqual(red("is not at most 1"))
  })

  it("fails with an empty answer, an error, or another kind of answer", async () => {
    expect(await prometheus(vector())).toEqual(red("the answer is empty"))
    const error = { status: "error", errorType: "bad_data", error: "parse\u001b error" }
    expect(await prometheus(error, 400)).toEqual({ passes: false, why: "parse\\u001b error" })
    const none = red("without the result of an instant query")
    expect(await prometheus("<html>", 502)).toEqual(none)
    expect(await prometheus({ status: "success", data: { resultType: "matrix", result: [] } })).toEqual(none)
    const histogram = { metric: {}, histogram: [1, { count: "1", sum: "1" }] }
    const data = { resultType: "vector", result: [histogram] }
    expect(await prometheus({ status: "success", data })).toEqual(none)
  })

  it("fails with an answer that is too long, or ends early", async () => {
    expect(await prometheus(" ".repeat(1024 * 1024 + 1))).toEqual(red("longer than 1048576 bytes"))
    answers = (_, response) => {
      response.writeHead(200, { "content-length": 1000 })
      response.write("{")
      response.destroy()
    }
    const check = { kind: "prometheus" as const, url: origin, query: "up", max: 1, every: 1 }
    expect(await askCheck(check, signal)).toMatchObject({ passes: false })
  })
})
