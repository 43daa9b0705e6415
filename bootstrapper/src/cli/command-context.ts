import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { commandContextOf } from "@headrace/shared/status/command-context"
import type { CommandContext } from "@headrace/shared/status/suggest-command"

/** What commands that this program suggests name: its own settings file (`config`), clusters and sources. */
export function commandContext(settings: OperatorSettings, config: string): CommandContext {
  return commandContextOf(settings, process.env.HEADRACE_CONFIG === config ? null : config)
}
