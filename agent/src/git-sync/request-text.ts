import { request as requestHttp } from "node:http"
import { request as requestHttps } from "node:https"
import { proxyAgent } from "../notify/proxy-agent.ts"

export interface TextRequest {
  method: "GET" | "POST"
  headers?: Readonly<Record<string, string>>
  /** Bytes of the answer after which it fails with `tooMuch`. */
  most: number
  tooMuch(): Error
}

export interface TextAnswer {
  status: number
  text: string
}

/**
 * Sends one request without a body as git-sync's Go client does: through the proxy of the environment, and to servers
 * that end lines by LF alone, as scripts that answer with echo do. A redirect is an answer. Rejects with what the
 * connection failed by, or the signal's reason.
 */
export function requestText(url: string, request: TextRequest, signal: AbortSignal): Promise<TextAnswer> {
  const { method, headers = {}, most, tooMuch } = request
  const send = url.startsWith("https:") ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const agent = proxyAgent(url)
    const options = { method, headers, signal, insecureHTTPParser: true, ...(agent ? { agent } : {}) }
    const call = send(url, options, (response) => {
      const parts: Buffer[] = []
      let size = 0
      response.on("data", (part: Buffer) => {
        parts.push(part)
        size += part.length
        if (size <= most) return
        reject(tooMuch())
        call.destroy()
      })
      response.on("error", reject)
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString("utf8") }),
      )
    })
    call.on("error", reject)
    call.end()
  })
}
