import type { LocatedYaml } from "../foundation/located-yaml.ts"
import { AgentSettings } from "./agent-settings.ts"
import { loadSettings } from "./parse-settings.ts"
import { noteSettingPlace } from "./setting-places.ts"

/** The agent's file. Throws as {@link loadOperatorSettings} does. */
export function loadAgentSettings(file: string): Promise<AgentSettings> {
  return loadSettings(file, AgentSettings, noteProjections)
}

/** Where each projection is written: what two of them have in common is judged later. */
export function noteProjections({ projections }: AgentSettings, yaml: LocatedYaml): void {
  for (const [name, projection] of Object.entries(projections)) {
    const { line, column } = yaml.positionOf(["projections", name])
    noteSettingPlace(projection, `${yaml.file}:${line}:${column}`)
  }
}
