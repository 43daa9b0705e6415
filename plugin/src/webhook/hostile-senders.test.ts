import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { errorText, HeadraceError } from "@headrace/shared/foundation/errors"
import { boundBreaches } from "@headrace/shared/observe/bound-breaches"
import { createLog } from "@headrace/shared/observe/log"
import { openHttp, type Route, type SenderBounds } from "@headrace/shared/observe/serve-http"
import { until } from "@headrace/test/harness/until"
import { Registry } from "prom-client"
import { describe, expect, it } from "vitest"
import { newBodyRoom, readBody } from "./read-body.ts"

const log = createLog("test", { level: "silent" })
const BOUNDS = {
  connections: 40,
  connectionsPerAddress: 30,
  headers: 2048,
  headersWithin: 1000,
  requestWithin: 2000,
}
const CHECK_EVERY_MS = 20
const ROOM = 200 * 1024
const LARGE = 150 * 1024

/** What ends the answers of `/held`. */
const holding = new Set<() => void>()

/** Serves `/hook` by a route that reads the body and answers its size, or the code of what kept it from it. */
async function withServer(
  fn: (url: string, room: { left: number }) => Promise<void>,
  bounds?: SenderBounds,
): Promise<void> {
  const http = await openHttp("127.0.0.1:0", log, bounds, CHECK_EVERY_MS)
  const room = newBodyRoom(ROOM)
  const route: Route = async (request, response) => {
    try {
      response.end(String((await readBody(request, room)).length))
    } catch (error) {
      response.end(error instanceof HeadraceError ? error.code : errorText(error))
    }
  }
  const held: Route = async (_, response) => {
    await new Promise<void>((resolve) => holding.add(resolve))
    response.end("held")
  }
  const ops = { registry: new Registry(), readiness: () => ({ ready: true, reasons: [] }) }
  const routes = new Map([
    ["/hook", route],
    ["/held", held],
  ])
  await http.serve({ routes, ops })
  try {
    await fn(http.url, room)
  } finally {
    await http.close()
  }
}

async function sender(url: string): Promise<{ socket: Socket; received: () => string }> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let text = ""
  socket.on("data", (chunk) => {
    text += chunk.toString()
  })
  socket.on("error", () => undefined)
  await once(socket, "connect")
  return { socket, received: () => text }
}

function breachesOf(bound: string): number {
  return boundBreaches().find((breach) => breach.bound === bound && breach.culprit === "port")?.count ?? 0
}

const head = (bytes: number) => `POST /hook HTTP/1.1\r\nhost: x\r\ncontent-length: ${bytes}\r\n\r\n`
const post = async (url: string, bytes: number) =>
  (await fetch(`${url}/hook`, { method: "POST", body: "x".repeat(bytes) })).text()

describe("a hostile sender", () => {
  it.each([
    ["headers", "POST /hook HTTP/1.1\r\nhost: x\r\n"],
    ["its body", `${head(100)}half of`],
  ])("that dribbles %s is cut off, and keeps nobody waiting", (_, beginning) =>
    withServer(async (url) => {
      const { socket } = await sender(url)
      const closed = once(socket, "close")
      socket.write(beginning)
      expect(await post(url, 10)).toBe("10")
      await closed
      expect(await post(url, 10)).toBe("10")
    }, BOUNDS),
  )

  it("finds no room for large bodies beyond what fits, while small ones go on; room comes back", () =>
    withServer(async (url, room) => {
      const { socket, received } = await sender(url)
      socket.write(head(LARGE + 1))
      socket.write("x".repeat(LARGE))
      await until(() => room.left < ROOM - LARGE + 1)
      expect(await post(url, LARGE)).toBe("webhook/no-room")
      expect(await post(url, 10_000)).toBe("10000")
      socket.write("x")
      await until(() => received().endsWith(String(LARGE + 1)))
      expect(await post(url, LARGE)).toBe(String(LARGE))
      socket.destroy()
      expect(room.left).toBe(ROOM)
    }))

  it("that goes away in mid-body leaves no room taken", () =>
    withServer(async (url, room) => {
      const { socket } = await sender(url)
      socket.write(head(LARGE + 1))
      socket.write("x".repeat(LARGE))
      await until(() => room.left < ROOM)
      socket.destroy()
      await until(() => room.left === ROOM)
      expect(await post(url, LARGE)).toBe(String(LARGE))
    }))

  const PATIENT = { ...BOUNDS, headersWithin: 60_000, requestWithin: 60_000 }

  it.each([
    ["idle sockets", ""],
    ["half of their headers", "POST /hook HTTP/1.1\r\nhost: x\r\n"],
    ["half of their bodies", `${head(100)}half of`],
  ])(
    "with many sockets and %s loses the oldest of them; probes and deliveries are answered",
    (_, beginning) =>
      withServer(async (url) => {
        const before = breachesOf("connectionsPerAddress")
        const senders: Socket[] = []
        for (let count = 0; count < 60; count++) {
          const one = await sender(url)
          one.socket.write(beginning)
          senders.push(one.socket)
        }
        expect((await fetch(`${url}/healthz`)).status).toBe(200)
        expect(await post(url, 10)).toBe("10")
        await until(() => senders.filter(({ destroyed }) => destroyed).length >= 30)
        expect(senders.slice(0, 30).every(({ destroyed }) => destroyed)).toBe(true)
        expect(breachesOf("connectionsPerAddress")).toBeGreaterThanOrEqual(before + 30)
        for (const socket of senders) socket.destroy()
      }, PATIENT),
  )

  it("closes no socket that is being answered: the new one is refused", () =>
    withServer(
      async (url) => {
        const held = [await sender(url), await sender(url)]
        for (const { socket } of held) socket.write("GET /held HTTP/1.1\r\nhost: x\r\n\r\n")
        await until(() => holding.size === 2)
        const { socket } = await sender(url)
        await once(socket, "close")
        for (const release of holding) release()
        await until(() => held.every(({ received }) => received().includes("200")))
        for (const one of held) one.socket.destroy()
      },
      { ...PATIENT, connections: 2 },
    ))

  it("that sends more headers than the bound is answered with 431", () =>
    withServer(async (url) => {
      const { received, socket } = await sender(url)
      socket.write(`GET /healthz HTTP/1.1\r\nx: ${"y".repeat(4096)}`)
      await until(() => received().includes("431"))
    }, PATIENT))
})
