import { request as requestHttp } from "node:http"
import { request as requestHttps } from "node:https"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { GitCredential } from "./git-credentials.ts"

const LIMIT_MS = 1000
const MOST_BYTES = 64 * 1024

/**
 * Asks git-sync's --askpass-url for a login: status 200 and lines `username=` and `password=`. Throws
 * `git/auth-failed`; the answer is in no message.
 */
export async function askPassword(url: string, repo: string, signal: AbortSignal): Promise<GitCredential> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)])
  const { status, text } = await answerOf(url, limit).catch((cause: unknown) => {
    signal.throwIfAborted()
    throw cause instanceof HeadraceError ? cause : failed("cannot be reached", cause)
  })
  if (status !== 200) throw failed(`answered ${status}`)
  const fields = new Map(
    text.split("\n").flatMap((line) => {
      const at = line.indexOf("=")
      return at === -1 ? [] : [[line.slice(0, at), line.slice(at + 1).replace(/\r$/, "")] as const]
    }),
  )
  return { url: repo, username: fields.get("username") ?? "", password: fields.get("password") ?? "" }
}

/** A redirect is an answer, as for git-sync. */
function answerOf(url: string, signal: AbortSignal): Promise<{ status: number | undefined; text: string }> {
  const request = url.startsWith("https:") ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    // Scripts that answer with echo end lines by LF alone, which git-sync takes.
    const call = request(url, { signal, insecureHTTPParser: true }, (response) => {
      const parts: Buffer[] = []
      let size = 0
      response.on("data", (part: Buffer) => {
        parts.push(part)
        size += part.length
        if (size <= MOST_BYTES) return
        reject(failed("answered with too much"))
        call.destroy()
      })
      response.on("error", reject)
      response.on("end", () =>
        resolve({ status: response.statusCode, text: Buffer.concat(parts).toString("utf8") }),
      )
    })
    call.on("error", reject)
    call.end()
  })
}

function failed(what: string, cause?: unknown): HeadraceError {
  return new HeadraceError("git/auth-failed", `the URL of --askpass-url ${what}`, {
    hint: "Check the URL and the server behind it.",
    ...(cause === undefined ? {} : { cause }),
  })
}
