import { typedProgram } from "../foundation/typed-program.ts"
import type { OperatorSettings } from "../settings/operator-settings.ts"
import type { CommandContext } from "./suggest-command.ts"

/** What commands that are suggested under these settings name. `config`: the path of their file; null: left to HEADRACE_CONFIG. */
export function commandContextOf(
  {
    clusters,
    sources,
    programsNamespace,
  }: Pick<OperatorSettings, "clusters" | "sources" | "programsNamespace">,
  config: string | null,
): CommandContext {
  return {
    bootstrapper: typedProgram("headrace-bootstrapper"),
    config,
    severalClusters: Object.keys(clusters).length > 1,
    severalSources: Object.keys(sources).length > 1,
    sources,
    programsNamespace,
    clusters,
  }
}
