import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { errorText, HeadraceError } from "@headrace/shared/foundation/errors"
import { createLog } from "@headrace/shared/observe/log"
import { openHttp, type Route } from "@headrace/shared/observe/serve-http"
import { until } from "@headrace/test/harness/until"
import { Registry } from "prom-client"
import { describe, expect, it } from "vitest"
import { newBodyRoom, readBody } from "./read-body.ts"

const log = createLog("test", { level: "silent" })
const LIMITS = { headersTimeout: 200, requestTimeout: 400, connectionsCheckingInterval: 20 }
const ROOM = 200 * 1024
const LARGE = 150 * 1024

/** Serves `/hook` by a route that reads the body and answers its size, or the code of what kept it from it. */
async function withServer(
  fn: (url: string, room: { left: number }) => Promise<void>,
  limits?: typeof LIMITS,
): Promise<void> {
  const http = await openHttp("127.0.0.1:0", log, limits)
  const room = newBodyRoom(ROOM)
  const route: Route = async (request, response) => {
    try {
      response.end(String((await readBody(request, room)).length))
    } catch (error) {
      response.end(error instanceof HeadraceError ? error.code : errorText(error))
    }
  }
  const ops = { registry: new Registry(), readiness: () => ({ ready: true, reasons: [] }) }
  await http.serve({ routes: new Map([["/hook", route]]), ops })
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
    }, LIMITS),
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
})
