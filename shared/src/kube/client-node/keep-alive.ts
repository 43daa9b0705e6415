import type { Cluster, KubeConfig } from "@kubernetes/client-node"
import { sha256 } from "../../foundation/digest.ts"
import { HeadraceError } from "../../foundation/errors.ts"

/** undici's, which client-node brings. */
interface Dispatcher {
  close?: () => Promise<void>
}
type AgentOptions = Parameters<KubeConfig["createDispatcherOptions"]>[1]
type CreateDispatcher = (cluster: Cluster | null, options: AgentOptions) => Dispatcher | undefined
type MakeDispatcher = new (options: { connections: number; maxResponseSize: number }) => Dispatcher

/** Over HTTP/2, which Kubernetes speaks, one is enough for any number of requests at once. */
const MOST_CONNECTIONS = 2

/**
 * Makes a KubeConfig use one dispatcher, of two sockets at most, for as long as its TLS settings stay the same:
 * client-node 2.0.1 makes a new one, with a socket of its own that nobody closes, for every request, and each
 * would open as many sockets as there are requests at once. Its method is private, so this breaks aloud, not
 * silently, should it ever be gone.
 *
 * `most`: bytes of one response on the wire, a watch too. Gives the function that closes the sockets.
 */
export function keepConnectionsAlive(config: KubeConfig, most: number): () => void {
  const create: unknown = Reflect.get(config, "createDispatcher")
  if (typeof create !== "function") {
    throw new HeadraceError("kube/client-changed", "client-node has no createDispatcher any more")
  }
  let key = ""
  let kept: Dispatcher | undefined
  function dispatcher(cluster: Cluster | null, given: AgentOptions): Dispatcher | undefined {
    // Without any TLS setting client-node would leave it to a dispatcher of the whole process.
    const settings = { ...given, rejectUnauthorized: given.rejectUnauthorized ?? true }
    const options = config.createDispatcherOptions(cluster, settings)
    const wanted = sha256(JSON.stringify(options))
    if (wanted === key) return kept
    closeSoon(kept)
    key = wanted
    kept = bounded((create as CreateDispatcher).call(config, cluster, settings), options, most)
    return kept
  }
  Object.defineProperty(config, "createDispatcher", { value: dispatcher })
  return () => {
    closeSoon(kept)
    kept = undefined
    key = ""
  }
}

/** The same kind of dispatcher, with a bound. A SOCKS proxy's is left as it is: only client-node can make it. */
function bounded(
  made: Dispatcher | undefined,
  options: ReturnType<KubeConfig["createDispatcherOptions"]>,
  most: number,
): Dispatcher | undefined {
  if (made === undefined || options.type === "none" || options.type === "socks") return made
  closeSoon(made)
  const { type: _, ...own } = options
  return new (made.constructor as MakeDispatcher)({
    ...own,
    connections: MOST_CONNECTIONS,
    maxResponseSize: most,
  })
}

/** Ends the sockets when the requests under way have ended. */
function closeSoon(dispatcher: Dispatcher | undefined): void {
  dispatcher?.close?.().catch(() => undefined)
}
