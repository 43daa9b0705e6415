import { once } from "node:events"
import { createServer, type IncomingMessage } from "node:http"
import { type AddressInfo, connect, type Socket } from "node:net"

/** An HTTP proxy that tunnels every host to loopback. */
export interface ConnectProxy {
  url: string
  /** HOST:PORT of each tunnel that was asked for. */
  tunnels: string[]
}

/** Runs `use` with a proxy that knows CONNECT alone (RFC 9110, 9.3.6), as HTTPS_PROXY names it. */
export async function withConnectProxy<T>(use: (proxy: ConnectProxy) => Promise<T>): Promise<T> {
  const tunnels: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((_, response) => response.writeHead(405).end())
  server.on("connect", (request: IncomingMessage, socket: Socket) => {
    tunnels.push(request.url ?? "")
    const behind = connect(Number(request.url?.split(":").at(-1)), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n")
      socket.pipe(behind).pipe(socket)
    })
    for (const one of [socket, behind]) sockets.add(one)
    socket.on("error", () => behind.destroy()).on("close", () => behind.destroy())
    behind.on("error", () => socket.destroy())
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  try {
    return await use({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, tunnels })
  } finally {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
}
