import { request as requestHttp } from "node:http"
import { request as requestHttps } from "node:https"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import { tokenText } from "@headrace/shared/record/token"
import type { Notice } from "./notice.ts"

export interface CallOptions {
  url: string
  method: string
  /** The answer that counts as received; undefined: any 2xx. */
  status: number | undefined
  /** Milliseconds for the whole call. */
  timeout: number
}

/** Calls a URL with the notice in its headers. Throws `notify/call-failed`. */
export async function callHttp(options: CallOptions, notice: Notice, signal: AbortSignal): Promise<void> {
  const either = AbortSignal.any([signal, AbortSignal.timeout(options.timeout)])
  const status = await answerStatus(options, notice, either).catch((cause: unknown) => {
    signal.throwIfAborted()
    throw callFailed(options, "no answer", cause)
  })
  const isTold = options.status === undefined ? status >= 200 && status < 300 : status === options.status
  if (!isTold) throw callFailed(options, `answered ${status}`)
}

function answerStatus(options: CallOptions, notice: Notice, signal: AbortSignal): Promise<number> {
  const request = options.url.startsWith("https:") ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const call = request(
      options.url,
      {
        method: options.method,
        signal,
        headers: {
          "headrace-projection": encodeURIComponent(notice.projection),
          "headrace-revision": notice.revision,
          "headrace-token": tokenText(notice.token),
          "content-length": 0,
        },
      },
      (response) => {
        response.on("error", reject)
        response.on("end", () => resolve(response.statusCode ?? 0))
        response.resume()
      },
    )
    call.on("error", reject)
    call.end()
  })
}

function callFailed(options: CallOptions, why: string, cause?: unknown): HeadraceError {
  const { origin, pathname } = new URL(options.url)
  return new HeadraceError("notify/call-failed", `${options.method} ${origin}${pathname}: ${why}`, {
    hint: "Check the address and the server behind it; it is called again after a wait.",
    cause,
  })
}
