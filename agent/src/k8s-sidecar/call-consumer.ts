import { constants } from "node:fs"
import { access, readFile } from "node:fs/promises"
import type { Clock } from "@headrace/shared/foundation/clock"
import { errorText } from "@headrace/shared/foundation/errors"
import type { Log } from "@headrace/shared/observe/log"
import { askHttp, type HttpAnswer } from "../notify/call-http.ts"
import { redirectedCall } from "../notify/redirected-call.ts"
import { runHook } from "../notify/run-hook.ts"
import type { CallSettings } from "./sidecar-settings.ts"

/** Answers after which k8s-sidecar calls again. */
const RETRIED: ReadonlySet<number> = new Set([500, 502, 503, 504])
/** Answers after which it does so when they say when. */
const LATER: ReadonlySet<number> = new Set([413, 429, 503])
const MOST_REDIRECTS = 30
const NOT_CONNECTED: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
])
/** urllib3's longest wait between retries, in milliseconds. */
const LONGEST_WAIT = 120_000
/** k8s-sidecar sets no limit; a script that hangs would keep every later change from its consumer. */
const SCRIPT_LIMIT = 600_000

/** Runs SCRIPT: as it is when it is executable, otherwise by sh. Its failure is logged, as k8s-sidecar does. */
export async function runScript(script: string, log: Log, signal: AbortSignal): Promise<void> {
  const isExecutable = await access(script, constants.X_OK).then(
    () => true,
    () => false,
  )
  const command = isExecutable ? [script] : ["sh", script]
  await runHook({ command, timeout: SCRIPT_LIMIT, env: {} }, signal).catch((error: unknown) => {
    signal.throwIfAborted()
    log.error({ script, err: errorText(error) }, "the script failed")
  })
}

/** Calls REQ_URL, again after failures as the settings have it; the last failure is logged. Never throws but for the signal. */
export async function callConsumer(
  call: CallSettings,
  clock: Clock,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const left = { ...call.retries }
  for (let attempt = 1; ; attempt += 1) {
    const { failure, limit, wait } = await tryCall(call, clock, signal)
    if (failure === undefined) {
      log.info({ method: call.method }, "the consumer was called")
      return
    }
    left.total -= 1
    if (limit === "connect" || limit === "read") left[limit] -= 1
    if (limit === undefined || Math.min(left.total, left.connect, left.read) < 0) {
      log.error({ attempts: attempt, err: failure }, "the consumer could not be called")
      return
    }
    log.warn({ attempt, err: failure }, "calling the consumer again")
    // The first retry follows at once (urllib3, Retry.get_backoff_time).
    const backoff = attempt === 1 ? 0 : call.retries.backoff * 2 ** (attempt - 1)
    await clock.sleep(Math.min(wait ?? backoff, LONGEST_WAIT), signal)
  }
}

/** How a call went. */
interface Outcome {
  /** Why it failed; undefined when it did not. */
  failure?: string
  /** Which of urllib3's limits of retries counts it beside `total`; undefined: it is not to be repeated. */
  limit?: "connect" | "read" | "status"
  /** Milliseconds after which the consumer wants to be called again. */
  wait?: number | undefined
}

async function tryCall(call: CallSettings, clock: Clock, signal: AbortSignal): Promise<Outcome> {
  try {
    const { status, headers } = await followRedirects(call, signal)
    if (status >= 200 && status < 300) return {}
    const failure = `it answered ${status}`
    const wait = waitOf(headers["retry-after"], clock.now())
    const isRepeated = RETRIED.has(status) ? call.retriesErrors : wait !== undefined && LATER.has(status)
    return isRepeated ? { failure, limit: "status", wait } : { failure }
  } catch (error) {
    signal.throwIfAborted()
    return { failure: errorText(error), limit: limitOf(error) }
  }
}

/** As Python's requests: after 301, 302 and 303 by GET; the login goes to no other host. */
async function followRedirects(call: CallSettings, signal: AbortSignal): Promise<HttpAnswer> {
  const authorities = call.authoritiesFile && (await readFile(call.authoritiesFile, "utf8"))
  const login = await loginHeader(call)
  let { url, method, body } = call
  for (let hops = 0; ; hops += 1) {
    const headers = {
      ...(new URL(url).host === new URL(call.url).host ? login : {}),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    }
    const { timeout, skipTlsVerify } = call
    const options = { url, method, body, timeout, skipTlsVerify, authorities, headers }
    const answer = await askHttp(options, signal)
    const redirected = hops < MOST_REDIRECTS ? redirectedCall({ method, body }, answer) : undefined
    if (redirected === undefined) return answer
    const next = URL.parse(redirected.location, url)
    if (next === null || !/^https?:$/.test(next.protocol)) return answer
    url = next.href
    method = redirected.method
    body = redirected.body
  }
}

/** Retry-After: seconds, or a date. */
function waitOf(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined
}

/** As urllib3 counts: nobody listens, no or half an answer, or anything else. */
function limitOf(error: unknown): "connect" | "read" | "status" {
  const { cause } = error instanceof Error ? error : {}
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : ""
  if (NOT_CONNECTED.has(code)) return "connect"
  return /CERT|VERIFY|TLS/.test(code) ? "status" : "read"
}

async function loginHeader({ login }: CallSettings): Promise<Record<string, string>> {
  const username = (await secretOf(login.usernameFile)) ?? login.username
  const password = (await secretOf(login.passwordFile)) ?? login.password
  if (!username || !password) return {}
  const bytes = Buffer.from(`${username}:${password}`, login.encoding)
  return { authorization: `Basic ${bytes.toString("base64")}` }
}

/** Undefined when there is no file, or it cannot be read: the variable then counts, as in k8s-sidecar. */
async function secretOf(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined
  const text = await readFile(file, "utf8").catch(() => undefined)
  return text?.trim()
}
