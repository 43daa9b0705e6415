import { loadOperatorSettings } from "@headrace/shared/settings/load-operator-settings"
import { type NextSettingsOptions, nextSettings as nextOf } from "@headrace/shared/settings/next-settings"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"

/**
 * Waits until the operator's file, or its folder of kubeconfigs, says something else than `current`, and gives it. Reads
 * every `interval` milliseconds.
 */
export function nextSettings(
  file: string,
  current: OperatorSettings,
  options: Pick<NextSettingsOptions<OperatorSettings>, "log" | "signal" | "interval" | "onRejected">,
): Promise<OperatorSettings | undefined> {
  return nextOf({ file, load: loadOperatorSettings, current, ...options })
}
