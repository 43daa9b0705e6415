import { AgentSettings } from "./agent-settings.ts"
import { loadSettings } from "./parse-settings.ts"

/** The agent's file. Throws as {@link loadOperatorSettings} does. */
export function loadAgentSettings(file: string): Promise<AgentSettings> {
  return loadSettings(file, AgentSettings)
}
