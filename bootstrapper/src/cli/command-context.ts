import { typedProgram } from "@headrace/shared/foundation/typed-program"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import type { CommandContext } from "@headrace/shared/status/suggest-command"

/** What commands that this program suggests name: its own settings file (`config`), clusters and sources. */
export function commandContext(settings: OperatorSettings, config: string): CommandContext {
  return {
    bootstrapper: typedProgram("headrace-bootstrapper"),
    config: process.env.HEADRACE_CONFIG === config ? null : config,
    severalClusters: Object.keys(settings.clusters).length > 1,
    severalSources: Object.keys(settings.sources).length > 1,
    sources: settings.sources,
    programsNamespace: settings.programsNamespace,
    clusters: settings.clusters,
  }
}
