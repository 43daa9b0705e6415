import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { createDoor, type Door, type DoorOptions } from "./door.ts"
import { PastStates } from "./past-states.ts"
import { openUpstream } from "./upstream.ts"

/** A proxy between each of our processes and the API server. */
export interface PerturbingProxy {
  /** Opens the way of one process; `url` is what its kubeconfig names. */
  openDoor(options: DoorOptions): { door: Door; url: string }
  /** What was done, in order: `process-3 get ci/alpha 1: stale`. */
  done: readonly string[]
  close(): Promise<void>
}

/** Beyond what clients keep an idle connection for, so that no connection breaks but by a perturbation. */
const KEEP_ALIVE_MS = 180_000

/**
 * Starts a proxy on loopback before an API server. Each process of ours has a door of its own, so that the proxy knows
 * whose calls it perturbs, and can end a process between any two of them. It sees every write, so it can answer
 * reads as they would have been answered earlier. `ownName` gives the name that processes know a namespace by.
 */
export async function startPerturbingProxy(
  server: { url: string },
  ownName: (namespace: string) => string,
): Promise<PerturbingProxy> {
  const upstream = openUpstream(server.url)
  const past = new PastStates()
  const doors: Door[] = []
  const done: string[] = []
  const listener = createServer({ noDelay: true, keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    const door = doors[Number(/^\/process-(\d+)\//.exec(request.url ?? "")?.[1])]
    if (door === undefined) response.destroy()
    else door.serve(request, response).catch(() => response.destroy())
  })
  listener.on("connection", (socket) => socket.on("error", () => undefined))
  listener.listen(0, "127.0.0.1")
  await once(listener, "listening")
  const { port } = listener.address() as AddressInfo
  return {
    openDoor(options) {
      const name = `process-${doors.length}`
      const onPerturbed = (what: string) => done.push(`${name} ${what}`)
      const door = createDoor({ upstream, past, root: `/${name}`, ownName, onPerturbed }, options)
      doors.push(door)
      return { door, url: `http://127.0.0.1:${port}/${name}` }
    },
    done,
    async close() {
      listener.closeAllConnections()
      await new Promise((resolve) => listener.close(resolve))
      upstream.close()
    },
  }
}
