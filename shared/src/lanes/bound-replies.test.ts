import { once } from "node:events"
import { type AddressInfo, createServer } from "node:net"
import type { Redis } from "ioredis"
import { expect, it } from "vitest"
import { boundBreaches } from "../observe/bound-breaches.ts"
import { connectRedis } from "./connect-redis.ts"
import { parseRedisUrl } from "./redis-address.ts"

const ENDLESS = "x".repeat(64 * 1024)

it("closes the connection of a Redis that answers bulk strings without end, also of a duplicate", async () => {
  let sent = 0
  // Whatever it is asked, also the greeting, it answers an array of bulk strings that does not end.
  const server = createServer((socket) => {
    socket.on("error", () => undefined)
    socket.once("data", () => {
      socket.write("*1000\r\n")
      const more = (): void => {
        if (socket.destroyed || sent > 2 ** 26) return
        sent += ENDLESS.length
        socket.write(`$${ENDLESS.length}\r\n${ENDLESS}\r\n`, () => setImmediate(more))
      }
      more()
    })
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  const errors: Error[] = []
  const before = boundBreaches().find(({ bound }) => bound === "redisReply")?.count ?? 0
  const client = connectRedis(parseRedisUrl(`redis://127.0.0.1:${port}`), {
    failFast: false,
    mostReply: 2 ** 20,
    onError: (error) => errors.push(error),
  })
  try {
    const duplicate = (client as Redis).duplicate()
    duplicate.on("error", () => undefined)
    for (const one of [client, duplicate]) {
      errors.length = 0
      await expect
        .poll(() => errors.map((error) => (error as { code?: string }).code), { timeout: 150_000 })
        .toContain("lanes/reply-too-large")
      one.disconnect()
    }
    expect(sent).toBeLessThan(2 ** 25)
    expect(boundBreaches().find(({ bound }) => bound === "redisReply")?.count).toBeGreaterThanOrEqual(
      before + 2,
    )
  } finally {
    client.disconnect()
    server.close()
  }
})
