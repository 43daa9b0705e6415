import { constants } from "node:fs"
import { access, readFile } from "node:fs/promises"
import type { Clock } from "@headrace/shared/foundation/clock"
import { errorText, hasCode } from "@headrace/shared/foundation/errors"
import type { Log } from "@headrace/shared/observe/log"
import { callHttp } from "../notify/call-http.ts"
import { runHook } from "../notify/run-hook.ts"
import type { CallSettings } from "./sidecar-settings.ts"

/** Answers after which k8s-sidecar calls again. */
const RETRIED = /answered 50[0234]$/
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
  const { total, connect, backoff } = call.retries
  const most = Math.min(total, connect)
  for (let attempt = 0; ; attempt += 1) {
    try {
      const { url, method, body, timeout, skipTlsVerify } = call
      const headers = {
        ...(await loginHeader(call)),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      }
      await callHttp({ url, method, body, timeout, skipTlsVerify, headers, status: undefined }, signal)
      log.info({ method }, "the consumer was called")
      return
    } catch (error) {
      signal.throwIfAborted()
      const text = errorText(error)
      const isFinal =
        hasCode(error, "notify/call-failed") &&
        /answered \d+$/.test(error.message) &&
        !RETRIED.test(error.message)
      if (isFinal || attempt >= most) {
        log.error({ attempts: attempt + 1, err: text }, "the consumer could not be called")
        return
      }
      log.warn({ attempt: attempt + 1, err: text }, "calling the consumer again")
      // The first retry follows at once (urllib3, Retry.get_backoff_time).
      const wait = attempt === 0 ? 0 : Math.min(backoff * 2 ** attempt, LONGEST_WAIT)
      await clock.sleep(wait, signal)
    }
  }
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
