import {
  type ConfigurationOptions,
  CoreV1Api,
  type KubeConfig,
  Observable,
  type ObservableMiddleware,
  type RequestContext,
  type ResponseContext,
} from "@kubernetes/client-node"
import { type AnswerLimits, readBounded } from "../answer-limits.ts"
import { keepConnectionsAlive } from "./keep-alive.ts"
import { type ClusterAddress, loadKubeConfig } from "./load-kube-config.ts"
import { sendByDispatcher } from "./send-by-dispatcher.ts"

const METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

/** client-node's API of one cluster, with sockets that are kept. */
export interface ClusterConnection {
  config: KubeConfig
  api: CoreV1Api
  close(): void
}

/** Reads the kubeconfig. `most`: bytes that one response, a watch too, may bring; sockets open with the first request. Throws UsageError, see loadKubeConfig. */
export async function openClusterConnection(
  name: string,
  address: ClusterAddress,
  most: number,
): Promise<ClusterConnection> {
  const config = await loadKubeConfig(name, address)
  const close = keepConnectionsAlive(config, most)
  return { config, api: config.makeApiClient(CoreV1Api), close }
}

/** Options of one generated call that let a signal end it, and bound its answer: the calls have no limits of their own. */
export function callOptions(what: string, limits: AnswerLimits, signal: AbortSignal): ConfigurationOptions {
  const bounded: ObservableMiddleware = {
    pre(request) {
      request.setSignal(signal)
      return new Observable(Promise.resolve(request))
    },
    post: (response) => new Observable(withBoundedBody(response, what, limits, signal)),
  }
  return { httpApi: sendByDispatcher, middleware: [bounded], middlewareMergeStrategy: "append" }
}

/**
 * The same answer, read within its limit. Content-Encoding is undone as it is read, so that a few bytes on the wire can
 * stand for gigabytes: what counts is what comes out.
 */
async function withBoundedBody(
  response: ResponseContext,
  what: string,
  limits: AnswerLimits,
  signal: AbortSignal,
): Promise<ResponseContext> {
  const stream = response.body.stream() as unknown as AsyncIterable<Uint8Array> | null
  const { text } = stream === null ? { text: "" } : await readBounded(what, stream, limits, signal)
  response.body = {
    text: async () => text,
    binary: async () => Buffer.from(text),
    stream: () => new Response(text).body,
  }
  return response
}

/**
 * The same options for a list of metadata alone.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches
 */
export function acceptingMetadata(options: ConfigurationOptions): ConfigurationOptions {
  const accept = changing((request) => request.setHeaderParam("Accept", METADATA_LIST))
  return { ...options, middleware: [accept, ...(options.middleware ?? [])] }
}

/** The same options for a call whose body is this text, in place of what client-node makes of its model. */
export function sendingText(options: ConfigurationOptions, text: string): ConfigurationOptions {
  return {
    ...options,
    middleware: [changing((request) => request.setBody(text)), ...(options.middleware ?? [])],
  }
}

/**
 * The same options for a call whose answer is read as the server sent it, and what the call itself gives is empty.
 * client-node's models drop what they do not know, and a key `__proto__`, which is a legal one of a ConfigMap; to make them
 * of a list took longer than to receive it.
 */
export function keepingAnswer(options: ConfigurationOptions): {
  options: ConfigurationOptions
  /** The answer of a call that succeeded. */
  answer(): unknown
  /** Bytes of its text. */
  bytes(): number
} {
  let text = ""
  const keep: ObservableMiddleware = {
    pre: (request) => new Observable(Promise.resolve(request)),
    post(response) {
      const read = response.body.text().then((body) => {
        text = body
        if (isGood(response)) response.body = { ...response.body, text: async () => "{}" }
        return response
      })
      return new Observable(read)
    },
  }
  return {
    // client-node calls `post` from the last to the first: the bound on the body comes before this reads it.
    options: { ...options, middleware: [keep, ...(options.middleware ?? [])] },
    answer: () => JSON.parse(text),
    bytes: () => Buffer.byteLength(text),
  }
}

function isGood({ httpStatusCode }: ResponseContext): boolean {
  return httpStatusCode >= 200 && httpStatusCode < 300
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
