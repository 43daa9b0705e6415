import type { AddressInfo } from "node:net"
import { connect, createServer, type Socket } from "node:net"

/** A port on loopback whose connections lead to another one, by a way that a test can make worse. */
export interface TcpLink {
  port: number
  /** Milliseconds that every piece of data takes, in each direction. */
  latency: number
  /** True: answers are kept back until it is false again. */
  hold(held: boolean): void
  /** Connections that are open go dead: nothing passes and no side is notified. New ones work. */
  goSilent(): void
}

interface Connection {
  client: Socket
  server: Socket
  silent: boolean
  held: Buffer[]
}

/** Runs `fn` with a link to a port on loopback and closes it afterwards. */
export async function withTcpLink<T>(port: number, fn: (link: TcpLink) => Promise<T>): Promise<T> {
  const connections = new Set<Connection>()
  let holding = false

  function pass(connection: Connection, to: Socket, data: Buffer): void {
    if (connection.silent || to.destroyed) return
    if (holding && to === connection.client) connection.held.push(data)
    else to.write(data)
  }

  const listener = createServer((client) => {
    const server = connect(port, "127.0.0.1")
    const connection: Connection = { client, server, silent: false, held: [] }
    connections.add(connection)
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.setNoDelay(true)
      from.on("data", (data: Buffer) => setTimeout(() => pass(connection, to, data), link.latency))
      from.on("error", () => undefined)
      from.on("close", () => {
        if (!connection.silent) to.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve))
  const link: TcpLink = {
    port: (listener.address() as AddressInfo).port,
    latency: 0,
    hold(held) {
      holding = held
      if (held) return
      for (const { client, held: kept } of connections) for (const data of kept.splice(0)) client.write(data)
    },
    goSilent() {
      for (const connection of connections) connection.silent = true
    },
  }
  try {
    return await fn(link)
  } finally {
    for (const { client, server } of connections) {
      client.destroy()
      server.destroy()
    }
    await new Promise((resolve) => listener.close(resolve))
  }
}
