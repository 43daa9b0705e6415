import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { HeadraceError, UsageError } from "@headrace/shared/foundation/errors"
import { answerOps, type OpsSources } from "@headrace/shared/observe/ops-routes"

export interface OpsServer {
  url: string
  close(): Promise<void>
}

/** Serves /healthz, /readyz and /metrics at `listen` (`HOST:PORT`, `[::1]:PORT`; port 0 picks one). */
export async function serveOps(listen: string, sources: OpsSources): Promise<OpsServer> {
  const { host, port } = parseListen(listen)
  const server = createServer((request, response) => {
    answerOps(request, response, sources).then(
      (answered) => {
        if (!answered) response.writeHead(404).end()
      },
      () => response.writeHead(500).end(),
    )
  })
  await listening(server, host, port)
  const address = server.address() as AddressInfo
  const name = address.family === "IPv6" ? `[${address.address}]` : address.address
  return {
    url: `http://${name}:${address.port}`,
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function parseListen(listen: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(listen)
  const port = Number(match?.[3])
  if (!match || port > 65_535) {
    throw new UsageError("settings/listen", `cannot listen at ${JSON.stringify(listen)}`, {
      hint: "Give HOST:PORT, such as 127.0.0.1:9474 or [::]:9474.",
    })
  }
  return { host: match[1] ?? match[2] ?? "", port }
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      const where = `${host}:${port}`
      reject(
        new HeadraceError("ops/listen", `cannot listen at ${where}`, { hint: "Change `listen`.", cause }),
      )
    })
    server.listen({ port, ...(host === "" ? {} : { host }) }, resolve)
  })
}
