import { HeadraceError } from "./errors.ts"

const MOST_REDIRECTS = 3
/** Answers that name another place to ask (RFC 9110, 15.4). */
export const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308]

/**
 * `fetch`, but a redirect is followed within the origin (scheme, host and port) alone, with the same method and body: what we
 * send, credentials among it, and what we believe is of the server that the settings name. Throws `http/redirected` for a
 * redirect to another one, and for too many.
 */
export async function fetchWithinOrigin(first: string | URL, init: RequestInit = {}): Promise<Response> {
  let url = new URL(first)
  for (let redirects = 0; ; redirects += 1) {
    const response = await fetch(url, { ...init, redirect: "manual" })
    const location = response.headers.get("location")
    if (!REDIRECTS.includes(response.status) || location === null) return response
    await response.body?.cancel()
    const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined
    if (next?.origin !== url.origin) throw redirected(url, `to ${next?.origin ?? "what is no URL"}`)
    if (redirects >= MOST_REDIRECTS) throw redirected(url, `more than ${MOST_REDIRECTS} times`)
    url = next
  }
}

function redirected({ origin, pathname }: URL, where: string): HeadraceError {
  return new HeadraceError("http/redirected", `${origin}${pathname} redirects ${where}`, {
    hint: "Name the server that answers in the settings: no redirect to another one is followed.",
  })
}
