import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { GitCredential } from "./git-credentials.ts"
import { requestText } from "./request-text.ts"

const LIMIT_MS = 1000
const MOST_BYTES = 64 * 1024

/**
 * Asks git-sync's --askpass-url for a login: status 200 and lines `username=` and `password=`. Throws
 * `git/auth-failed`; the answer is in no message.
 */
export async function askPassword(url: string, repo: string, signal: AbortSignal): Promise<GitCredential> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)])
  const request = {
    method: "GET",
    most: MOST_BYTES,
    tooMuch: () => failed("answered with too much"),
  } as const
  const { status, text } = await requestText(url, request, limit).catch((cause: unknown) => {
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

function failed(what: string, cause?: unknown): HeadraceError {
  return new HeadraceError("git/auth-failed", `the URL of --askpass-url ${what}`, {
    hint: "Check the URL and the server behind it.",
    ...(cause === undefined ? {} : { cause }),
  })
}
