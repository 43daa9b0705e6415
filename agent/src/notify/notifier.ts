import type { Clock } from "@headrace/shared/foundation/clock"
import { errorText } from "@headrace/shared/foundation/errors"
import type { Log } from "@headrace/shared/observe/log"
import type { NotifySettings } from "@headrace/shared/settings/agent-notify"
import { followLatest } from "../watch/follow-latest.ts"
import { createLatest } from "../watch/latest.ts"
import { callHttp } from "./call-http.ts"
import { type Notice, noticeEnvironment, noticeHeaders } from "./notice.ts"
import { runHook } from "./run-hook.ts"
import { sendSignal } from "./send-signal.ts"
import { touchFile } from "./touch-file.ts"

/**
 * Notifies one consumer of what is published: at least once, the newest only, retried until it succeeds, and not sooner after
 * the one before than the settings' `pause`.
 */
export interface Notifier {
  tell(notice: Notice): void
  /** True when the newest notice was delivered. */
  isSettled(): boolean
  /** Delivers until the signal aborts, then rejects with its reason. */
  run(signal: AbortSignal): Promise<never>
}

export interface NotifierPorts {
  clock: Clock
  log: Log
  /** Called when the consumer was notified, and how (`exec`, `http`, `touch` or `signal`). */
  onDelivered?(notice: Notice, way: string): void
}

export function createNotifier(settings: NotifySettings, ports: NotifierPorts): Notifier {
  const notices = createLatest<Notice>()
  let delivered: Notice | undefined

  async function deliver(notice: Notice, signal: AbortSignal): Promise<void> {
    await deliverOnce(settings, notice, signal)
    delivered = notice
    ports.onDelivered?.(notice, wayOf(settings))
    ports.log.debug({ revision: notice.revision, way: wayOf(settings) }, "consumer notified")
    if (settings.pause !== undefined) await ports.clock.sleep(settings.pause, signal)
  }

  function failed(error: unknown, attempt: number): void {
    const fields = { err: errorText(error), way: wayOf(settings), attempt }
    ports.log.warn(fields, "cannot notify a consumer; trying again")
  }

  return {
    tell: notices.set,
    isSettled: () => notices.current()?.value === delivered,
    run(signal) {
      return followLatest(notices, (notice) => deliver(notice, signal), failed, ports.clock, signal)
    },
  }
}

async function deliverOnce(settings: NotifySettings, notice: Notice, signal: AbortSignal): Promise<void> {
  const { exec, http, touch, timeout } = settings
  if (exec !== undefined) return runHook({ command: exec, timeout, env: noticeEnvironment(notice) }, signal)
  if (http !== undefined) {
    const { method, status } = settings
    return callHttp({ url: http, method, status, timeout, headers: noticeHeaders(notice) }, signal)
  }
  if (touch !== undefined) return touchFile(touch, notice)
  const { signal: name, pidFile, process } = settings
  if (name !== undefined) await sendSignal({ signal: name, pidFile, process })
}

/** For the log: the kind, not the address, which may hold a secret. */
function wayOf(settings: NotifySettings): string {
  if (settings.exec !== undefined) return "exec"
  if (settings.http !== undefined) return "http"
  return settings.touch === undefined ? "signal" : "touch"
}
