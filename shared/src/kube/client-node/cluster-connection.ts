import {
  type ConfigurationOptions,
  CoreV1Api,
  type KubeConfig,
  Observable,
  type ObservableMiddleware,
} from "@kubernetes/client-node"
import { keepConnectionsAlive } from "./keep-alive.ts"
import { type ClusterAddress, loadKubeConfig } from "./load-kube-config.ts"

/** client-node's API of one cluster, with sockets that are kept. */
export interface ClusterConnection {
  config: KubeConfig
  api: CoreV1Api
  close(): void
}

/** Reads the kubeconfig; sockets open with the first request. Throws UsageError, see loadKubeConfig. */
export async function openClusterConnection(
  name: string,
  address: ClusterAddress,
): Promise<ClusterConnection> {
  const config = await loadKubeConfig(name, address)
  const close = keepConnectionsAlive(config)
  return { config, api: config.makeApiClient(CoreV1Api), close }
}

/** Options of one generated call that let a signal end it: the calls have no time limit of their own. */
export function callOptions(signal: AbortSignal): ConfigurationOptions {
  const middleware: ObservableMiddleware = {
    pre(request) {
      request.setSignal(signal)
      return new Observable(Promise.resolve(request))
    },
    post: (response) => new Observable(Promise.resolve(response)),
  }
  return { middleware: [middleware], middlewareMergeStrategy: "append" }
}
