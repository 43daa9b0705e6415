import { createSign } from "node:crypto"
import { readFile } from "node:fs/promises"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { GitCredential } from "./git-credentials.ts"
import type { GithubAppSettings } from "./login-settings.ts"
import { requestText } from "./request-text.ts"

/** GitHub allows ten minutes; its clock may be ahead of ours. */
const JWT_SECONDS = 540
const CLOCK_SKEW_SECONDS = 60
/** A token that ends within this many milliseconds is fetched again. */
const MARGIN_MS = 30_000
const LIMIT_MS = 15_000
const MOST_BYTES = 1024 * 1024

/** Logs in as an installation of a GitHub App; keeps its token until shortly before it ends. */
export function createGithubAppLogin(app: GithubAppSettings, onRefresh: (error: boolean) => void) {
  let kept: { token: string; ends: number } | undefined

  /** Throws `git/auth-failed`. */
  return async function login(repo: string, signal: AbortSignal): Promise<GitCredential> {
    if (kept === undefined || kept.ends < Date.now() + MARGIN_MS) {
      try {
        kept = await fetchToken(app, signal)
      } catch (error) {
        onRefresh(true)
        throw error
      }
      onRefresh(false)
    }
    // GitHub takes any name with an installation's token, but not an empty one.
    return { url: repo, username: "x-access-token", password: kept.token }
  }
}

async function fetchToken(
  app: GithubAppSettings,
  signal: AbortSignal,
): Promise<{ token: string; ends: number }> {
  const base = app.apiUrl.replace(/\/+$/, "")
  const url = `${base}/app/installations/${app.installation}/access_tokens`
  const headers = {
    authorization: `Bearer ${jsonWebToken(app.issuer, await privateKey(app))}`,
    accept: "application/vnd.github+json",
    "content-length": "0",
    "user-agent": "headrace-agent",
  }
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)])
  try {
    const tooMuch = () => failed(`${base} answered with too much`)
    const answer = await requestText(url, { method: "POST", headers, most: MOST_BYTES, tooMuch }, limit)
    const body = parsed(answer.text)
    if (answer.status !== 201) throw failed(`GitHub answered ${answer.status} to the App`)
    if (typeof body !== "object" || body === null || !("token" in body) || !("expires_at" in body)) {
      throw failed("GitHub's answer to the App holds no token")
    }
    return { token: String(body.token), ends: Date.parse(String(body.expires_at)) }
  } catch (cause) {
    signal.throwIfAborted()
    if (cause instanceof HeadraceError) throw cause
    throw failed(`${base} cannot be reached`, cause)
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function privateKey({ privateKey, privateKeyFile }: GithubAppSettings): Promise<string> {
  if (privateKeyFile === undefined) return privateKey ?? ""
  return readFile(privateKeyFile, "utf8").catch((cause: unknown) => {
    throw failed(`the private key file ${privateKeyFile} cannot be read`, cause)
  })
}

/** RFC 7519, signed with RS256. */
function jsonWebToken(issuer: string, key: string): string {
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: issuer, iat: now - CLOCK_SKEW_SECONDS, exp: now + JWT_SECONDS }
  const text = [{ alg: "RS256", typ: "JWT" }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".")
  try {
    return `${text}.${createSign("RSA-SHA256").update(text).sign(key, "base64url")}`
  } catch (cause) {
    throw failed("the App's private key cannot be used", cause)
  }
}

function failed(what: string, cause?: unknown): HeadraceError {
  return new HeadraceError("git/auth-failed", what, {
    hint: "Check the App's ids and key, and that it is installed with access to the repository.",
    ...(cause === undefined ? {} : { cause }),
  })
}
