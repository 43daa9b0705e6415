import { setTimeout as delay } from "node:timers/promises"
import { canonicalJson } from "@headrace/shared/foundation/canonical-json"
import { errorText } from "@headrace/shared/foundation/errors"
import type { Log } from "@headrace/shared/observe/log"
import { loadOperatorSettings } from "@headrace/shared/settings/load-operator-settings"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"

/**
 * Waits until the operator's file, or its folder of kubeconfigs, says something else than `current`, and gives it.
 * Settings that do not parse are logged once and otherwise ignored: the last good ones stay in force. Undefined when the
 * signal aborted. Reads every `interval` milliseconds instead of watching: a mounted ConfigMap changes by links that a watch does not see.
 */
export async function nextSettings(
  file: string,
  current: OperatorSettings,
  log: Log,
  signal: AbortSignal,
  interval: number,
): Promise<OperatorSettings | undefined> {
  let reported = ""
  for (;;) {
    await delay(interval, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return undefined
    try {
      const next = await loadOperatorSettings(file)
      if (canonicalJson(next) !== canonicalJson(current)) return next
      reported = ""
    } catch (error) {
      const err = errorText(error)
      if (err !== reported) log.error({ file, err }, "settings do not read; the last good ones stay in force")
      reported = err
    }
  }
}
