import { createHash, timingSafeEqual } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import { type ApiAnswer, answerRequest, verbOf } from "./answer-request.ts"
import { ApiFailure, badRequest } from "./api-failure.ts"
import { discoveryAnswer } from "./discovery.ts"
import type { FaultAnswer, Faults } from "./faults.ts"
import type { ObjectStore } from "./object-store.ts"
import { type ApiPath, parseApiPath } from "./parse-api-path.ts"
import type { RequestCounters } from "./request-counters.ts"
import { serveWatch } from "./serve-watch.ts"

export interface EmbeddedState {
  store: ObjectStore
  tokens: ReadonlySet<string>
  anonymous: boolean
  requests: RequestCounters
  faults: Faults
}

const HEALTH_PATHS = ["/readyz", "/livez", "/healthz"]

/** Answers one HTTP request. Never throws for what a client did. */
export async function serveRequest(
  state: EmbeddedState,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = parseUrl(request.url)
  if (HEALTH_PATHS.includes(url?.pathname ?? "")) {
    response.writeHead(200, { "content-type": "text/plain" }).end("ok")
    return
  }
  try {
    if (!url) throw badRequest("the URL cannot be read")
    await serve(state, url, request, response)
  } catch (error) {
    if (response.headersSent) return void response.destroy()
    const failure = error instanceof ApiFailure ? error : new ApiFailure(500, "InternalError", String(error))
    const seconds = failure.status.details?.retryAfterSeconds
    if (seconds !== undefined) response.setHeader("retry-after", String(seconds))
    reply(state, response, { status: failure.status.code, body: JSON.stringify(failure.status) })
    // What is left of a body is read and dropped, so that the client gets the answer and keeps its connection.
    request.resume()
  }
}

async function serve(
  state: EmbeddedState,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  authenticate(state, request.headers.authorization)
  const discovered = request.method === "GET" ? discoveryAnswer(url.pathname) : undefined
  if (discovered) return reply(state, response, { status: 200, body: JSON.stringify(discovered) })
  const path = parseApiPath(url.pathname)
  if (!path) throw new ApiFailure(404, "NotFound", "the server could not find the requested resource", {})
  const verb = verbOf(request.method, path, url.searchParams)
  if (!verb) {
    const message = "the server does not allow this method on the requested resource"
    throw new ApiFailure(405, "MethodNotAllowed", message, {})
  }
  state.requests.add(verb, path.kind.resource)
  const fault = state.faults.take(verb, path.kind.resource)
  if (fault) return strike(state, fault, verb, path, url, request, response)
  if (verb === "watch") {
    return serveWatch(
      state.store,
      path,
      url.searchParams,
      response,
      (bytes) => (state.requests.bytesSent += bytes),
    )
  }
  reply(state, response, await answerRequest(state.store, verb, path, url.searchParams, request))
}

async function strike(
  state: EmbeddedState,
  fault: FaultAnswer,
  verb: string,
  path: ApiPath,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (fault.kind === "status") {
    const seconds = fault.retryAfterSeconds
    const details = seconds === undefined ? {} : { retryAfterSeconds: seconds }
    const reason = fault.status === 429 ? "TooManyRequests" : "InternalError"
    throw new ApiFailure(fault.status, reason, "a fault that a test planned", details)
  }
  const effect = fault.kind === "truncate" || fault.effect === true
  const answer = effect ? await answerRequest(state.store, verb, path, url.searchParams, request) : undefined
  if (fault.kind === "close") return void response.destroy()
  if (fault.kind === "hang" || !answer) return
  reply(state, response, { status: answer.status, body: answer.body.slice(0, answer.body.length / 2) })
}

function reply(state: EmbeddedState, response: ServerResponse, answer: ApiAnswer): void {
  const body = Buffer.from(answer.body)
  state.requests.bytesSent += body.length
  response
    .writeHead(answer.status, { "content-type": "application/json", "content-length": body.length })
    .end(body)
}

/** 401 for a token that it does not know, 403 for none, which the real server takes as system:anonymous. */
function authenticate(state: EmbeddedState, header: string | undefined): void {
  if (!header && state.anonymous) return
  if (!header)
    throw new ApiFailure(403, "Forbidden", 'forbidden: User "system:anonymous" may do nothing here', {})
  const given = digest(header.replace(/^Bearer\s+/i, ""))
  const known = [...state.tokens].some((token) => timingSafeEqual(digest(token), given))
  if (!known) throw new ApiFailure(401, "Unauthorized", "Unauthorized")
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest()
}

function parseUrl(path: string | undefined): URL | undefined {
  return URL.parse(path ?? "", "http://embedded") ?? undefined
}
