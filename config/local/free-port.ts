import { createServer } from "node:net"

/**
 * Below the ports that a kernel gives to connections and to listeners that name none (from 32768 on Linux, from 49152
 * elsewhere): none of these takes the port before the program that it is meant for.
 */
const FIRST = 20_000
const LAST = 31_999
const ATTEMPTS = 100

/** A TCP port of 127.0.0.1 that no process listens on now. */
export async function freePort(): Promise<number> {
  for (let attempt = 1; attempt < ATTEMPTS; attempt++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1))
    const free = await listenOn(port).catch(() => undefined)
    if (free !== undefined) return free
  }
  return listenOn(0)
}

/** Listens for a moment; gives the port, which is the kernel's choice for 0. */
function listenOn(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(port, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0))
    })
  })
}
