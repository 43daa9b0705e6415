import {
  type ConfigurationOptions,
  CoreV1Api,
  type KubeConfig,
  Observable,
  type ObservableMiddleware,
  type RequestContext,
} from "@kubernetes/client-node"
import { keepConnectionsAlive } from "./keep-alive.ts"
import { type ClusterAddress, loadKubeConfig } from "./load-kube-config.ts"

const METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

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
  return { middleware: [changing((request) => request.setSignal(signal))], middlewareMergeStrategy: "append" }
}

/**
 * The same options for a list of metadata alone.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches
 */
export function acceptingMetadata(options: ConfigurationOptions): ConfigurationOptions {
  const accept = changing((request) => request.setHeaderParam("Accept", METADATA_LIST))
  return { ...options, middleware: [...(options.middleware ?? []), accept] }
}

/** The same options for a call whose body is this text, in place of what client-node makes of its model. */
export function sendingText(options: ConfigurationOptions, text: string): ConfigurationOptions {
  return {
    ...options,
    middleware: [...(options.middleware ?? []), changing((request) => request.setBody(text))],
  }
}

/**
 * The same options for a call whose answer is read as the server sent it. client-node's models drop what they do not
 * know, and a key `__proto__`, which is a legal one of a ConfigMap.
 */
export function keepingAnswer(options: ConfigurationOptions): {
  options: ConfigurationOptions
  /** The answer of a call that succeeded. */
  answer(): unknown
} {
  let text = ""
  const keep: ObservableMiddleware = {
    pre: (request) => new Observable(Promise.resolve(request)),
    post(response) {
      const read = response.body.text().then((body) => {
        text = body
        response.body = {
          text: async () => body,
          binary: async () => Buffer.from(body),
          stream: () => new Response(body).body,
        }
        return response
      })
      return new Observable(read)
    },
  }
  return {
    options: { ...options, middleware: [...(options.middleware ?? []), keep] },
    answer: () => JSON.parse(text),
  }
}

function changing(change: (request: RequestContext) => void): ObservableMiddleware {
  return {
    pre(request) {
      change(request)
      return new Observable(Promise.resolve(request))
    },
    post: (response) => new Observable(Promise.resolve(response)),
  }
}
