import type { KubeConfig } from "@kubernetes/client-node"
import { sha256 } from "../../foundation/digest.ts"
import { HeadraceError } from "../../foundation/errors.ts"

interface Dispatcher {
  close?: () => Promise<void>
}
type CreateDispatcher = (
  ...settings: Parameters<KubeConfig["createDispatcherOptions"]>
) => Dispatcher | undefined

/**
 * Makes a KubeConfig use one dispatcher, and so one or two sockets, for as long as its TLS settings stay the
 * same: client-node 2.0.1 makes a new one, with a socket of its own that nobody closes, for every request.
 * The method is private there, so this breaks aloud, not silently, should it ever be gone.
 *
 * Gives the function that closes the sockets.
 */
export function keepConnectionsAlive(config: KubeConfig): () => void {
  const create: unknown = Reflect.get(config, "createDispatcher")
  if (typeof create !== "function") {
    throw new HeadraceError("kube/client-changed", "client-node has no createDispatcher any more")
  }
  let key = ""
  let kept: Dispatcher | undefined
  const cached: CreateDispatcher = (cluster, agentOptions) => {
    const wanted = sha256(JSON.stringify(config.createDispatcherOptions(cluster, agentOptions)))
    if (wanted === key) return kept
    closeSoon(kept)
    key = wanted
    kept = (create as CreateDispatcher).call(config, cluster, agentOptions)
    return kept
  }
  Object.defineProperty(config, "createDispatcher", { value: cached })
  return () => {
    closeSoon(kept)
    kept = undefined
    key = ""
  }
}

/** Ends the sockets when the requests under way have ended. */
function closeSoon(dispatcher: Dispatcher | undefined): void {
  dispatcher?.close?.().catch(() => undefined)
}
