import type { Readable } from "node:stream"
import { createGunzip } from "node:zlib"
import {
  type HttpLibrary,
  IsomorphicFetchHttpLibrary,
  Observable,
  type RequestContext,
  ResponseContext,
} from "@kubernetes/client-node"

type Dispatcher = NonNullable<ReturnType<RequestContext["getDispatcher"]>>
type Answer = Exclude<Awaited<ReturnType<Dispatcher["request"]>>, void>

/**
 * Sends client-node's requests by their dispatcher (undici's `request`) in place of fetch, whose streams and headers
 * took most of the CPU of a call. Unlike fetch it follows no redirect: an API server sends none, and what does is no
 * place for a token. Only answers to GET may come compressed: the others repeat what was sent.
 */
export const sendByDispatcher: HttpLibrary = {
  send(request) {
    const dispatcher = request.getDispatcher()
    if (dispatcher === undefined) return new IsomorphicFetchHttpLibrary().send(request)
    return new Observable(answerOf(dispatcher, request))
  },
}

async function answerOf(dispatcher: Dispatcher, request: RequestContext): Promise<ResponseContext> {
  const url = new URL(request.getUrl())
  const method = request.getHttpMethod()
  const headers = request.getHeaders()
  const answer: Answer = await dispatcher.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method,
    headers: String(method) === "GET" ? { ...headers, "accept-encoding": "gzip" } : headers,
    body: (request.getBody() as string | undefined) ?? null,
    signal: request.getSignal() ?? null,
  })
  const stream = uncompressed(answer)
  const text = () => textOf(stream)
  return new ResponseContext(answer.statusCode, headersOf(answer), {
    text,
    binary: async () => Buffer.from(await text()),
    stream: () => stream,
  } as unknown as ConstructorParameters<typeof ResponseContext>[2])
}

function uncompressed({ headers, body }: Answer): Readable {
  if (headers["content-encoding"] !== "gzip") return body
  const unpacked = createGunzip()
  body.once("error", (error) => unpacked.destroy(error))
  unpacked.once("close", () => body.destroy())
  return body.pipe(unpacked)
}

async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString("utf8")
}

function headersOf({ headers }: Answer): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : (value ?? ""),
    ]),
  )
}
