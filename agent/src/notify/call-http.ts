import { type IncomingHttpHeaders, request as requestHttp } from "node:http"
import { request as requestHttps } from "node:https"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import { proxyAgent } from "./proxy-agent.ts"
import { redirectedCall } from "./redirected-call.ts"

export interface CallOptions {
  url: string
  method: string
  /** The answer that counts as received; undefined: any 2xx. */
  status: number | "any" | undefined
  /** Milliseconds for the whole call. */
  timeout: number
  headers: Readonly<Record<string, string>>
  /** Sent with the call; nothing unless given. */
  body?: string | undefined
  /** Accept a certificate that cannot be verified. */
  skipTlsVerify?: boolean | undefined
  /** Authorities (PEM) to trust in place of the usual ones. */
  authorities?: string | undefined
  /** Redirects that are followed, to any server: 307 and 308 with the same method, others with GET. None unless given. */
  mostRedirects?: number | undefined
  /** Go through the proxy of the environment. */
  proxied?: boolean | undefined
}

export interface HttpAnswer {
  status: number
  headers: Readonly<IncomingHttpHeaders>
}

/** Calls a URL. Throws `notify/call-failed`. */
export async function callHttp(options: CallOptions, signal: AbortSignal): Promise<void> {
  const { status } = await askHttp(options, signal)
  if (!counts(options.status, status)) throw callFailed(options, `answered ${status}`)
}

/** Calls a URL; any answer will do. Throws `notify/call-failed`. */
export async function askHttp(
  options: Omit<CallOptions, "status">,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const either = AbortSignal.any([signal, AbortSignal.timeout(options.timeout)])
  return await lastAnswer(options, either).catch((cause: unknown) => {
    signal.throwIfAborted()
    throw callFailed(options, "no answer", cause)
  })
}

function counts(expected: CallOptions["status"], status: number): boolean {
  if (expected === "any") return true
  return expected === undefined ? status >= 200 && status < 300 : status === expected
}

async function lastAnswer(options: Omit<CallOptions, "status">, signal: AbortSignal): Promise<HttpAnswer> {
  let call = options
  for (let left = options.mostRedirects ?? 0; ; left -= 1) {
    const answer = await answerOf(call, signal)
    const redirected = redirectedCall(call, answer)
    if (left === 0 || redirected === undefined) return answer
    const { location, method, body } = redirected
    call = { ...call, url: new URL(location, call.url).href, method, body }
  }
}

function answerOf(options: Omit<CallOptions, "status">, signal: AbortSignal): Promise<HttpAnswer> {
  const { body = "" } = options
  const request = options.url.startsWith("https:") ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const agent = options.proxied ? proxyAgent(options.url) : undefined
    const call = request(
      options.url,
      {
        method: options.method,
        signal,
        // Scripts that answer with echo end lines by LF alone; only the status is believed.
        insecureHTTPParser: true,
        ...(agent === undefined ? {} : { agent }),
        ...(options.skipTlsVerify ? { rejectUnauthorized: false } : {}),
        ...(options.authorities === undefined ? {} : { ca: options.authorities }),
        headers: { ...options.headers, "content-length": Buffer.byteLength(body) },
      },
      (response) => {
        // The rest is read, so that the connection can be used again, and not waited for: it may have no end.
        response.on("error", () => undefined)
        response.resume()
        resolve({ status: response.statusCode ?? 0, headers: response.headers })
      },
    )
    call.on("error", reject)
    call.end(body)
  })
}

function callFailed(options: Omit<CallOptions, "status">, why: string, cause?: unknown): HeadraceError {
  const { origin, pathname } = new URL(options.url)
  return new HeadraceError("notify/call-failed", `${options.method} ${origin}${pathname}: ${why}`, {
    hint: "Check the address and the server behind it; it is called again after a wait.",
    cause,
  })
}
