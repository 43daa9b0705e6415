import { OperatorSettings } from "./operator-settings.ts"
import { loadSettings } from "./parse-settings.ts"

/**
 * The operator's file, parsed and judged.
 * problem as `file:line:column`.
 */
export function loadOperatorSettings(file: string): Promise<OperatorSettings> {
  return loadSettings(file, OperatorSettings)
}
