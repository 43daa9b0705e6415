import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { gzipSync } from "node:zlib"
import { describe, expect, it } from "vitest"
import { startColdFleet } from "./cold-fleet.ts"

/** The long form (200 agents, 20 MB) is `npm run bench -- --only objects`. */
const SMALL = { agents: 8, bytes: 100_000 }

describe("agents that start together", () => {
  it("take one copy of the store from the API server, whatever their number", async () => {
    const { copies } = await startColdFleet(SMALL)
    expect(copies).toBeGreaterThan(0.99)
    expect(copies).toBeLessThan(1.01)
  })

  it("take no more though the cache that they ask first lies", async () => {
    const server = createServer((_, response) => response.end(gzipSync("a lie")))
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    try {
      const before = [`http://127.0.0.1:${(server.address() as AddressInfo).port}`]
      expect((await startColdFleet({ ...SMALL, before })).copies).toBeLessThan(1.01)
    } finally {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  })
})
