import { randomBytes } from "node:crypto"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { embeddedKubeconfig } from "./embedded-kubeconfig.ts"
import { Faults } from "./faults.ts"
import { ObjectStore, type ObjectStoreOptions } from "./object-store.ts"
import { RequestCounters } from "./request-counters.ts"
import { type EmbeddedState, serveRequest } from "./serve-request.ts"

export interface EmbeddedKubeOptions extends ObjectStoreOptions {
  /** Absent or 0: any free one. */
  port?: number
  /** The bearer token that it takes; absent: a random one, found in the kubeconfig. */
  token?: string
  /** Let in those who bring no token: kubectl sends none over plain HTTP. */
  anonymous?: boolean
  /** State to serve, for a restart that forgets nothing; absent: a new one. */
  store?: ObjectStore
}

export interface EmbeddedKube {
  url: string
  port: number
  token: string
  /** YAML text. */
  kubeconfig: string
  requests: RequestCounters
  faults: Faults
  store: ObjectStore
  /** The tokens that it takes from now on, for tests of rotation. */
  setTokens(tokens: readonly string[]): void
  /** Breaks every connection, as a restart does, but goes on serving. */
  dropConnections(): void
  close(): Promise<void>
}

// Beyond what clients keep an idle connection for, so that it is never the server who closes under a request.
const KEEP_ALIVE_MS = 180_000

/**
 * Starts a small Kubernetes API server on loopback: ConfigMaps, Leases and Namespaces in memory, with list
 * and watch, resourceVersions, conflicts, limits, validation and bearer tokens as the real one has them.
 */
export async function startEmbeddedKube(options: EmbeddedKubeOptions = {}): Promise<EmbeddedKube> {
  const token = options.token ?? randomBytes(24).toString("base64url")
  const state: EmbeddedState = {
    // Versions start at the time, so that a watcher of an earlier server is answered to list again.
    store:
      options.store ?? new ObjectStore({ firstResourceVersion: Math.floor(Date.now() / 1000), ...options }),
    tokens: new Set([token]),
    anonymous: options.anonymous ?? false,
    requests: new RequestCounters(),
    faults: new Faults(),
  }
  const server = createServer({ noDelay: true, keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    serveRequest(state, request, response).catch(() => response.destroy())
  })
  server.on("connection", () => {
    state.requests.connections += 1
  })
  const port = await listen(server, options.port ?? 0)
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    port,
    token,
    kubeconfig: embeddedKubeconfig(url, token),
    requests: state.requests,
    faults: state.faults,
    store: state.store,
    setTokens(tokens) {
      state.tokens = new Set(tokens)
    },
    dropConnections: () => server.closeAllConnections(),
    close: () => close(server),
  }
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(port, "127.0.0.1", resolve)
  })
  return (server.address() as AddressInfo).port
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  await closed
}
