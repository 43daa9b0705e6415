import { type JsonSchema, jsonSchemaOf } from "@headrace/shared/foundation/json-schema"
import { RulesFile } from "@headrace/shared/rules/config-updater"
import { AgentSettings } from "@headrace/shared/settings/agent-settings"
import { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { FleetStatus } from "@headrace/shared/status/fleet-status"
import { referencePage } from "./reference-page.ts"

export type ConfigurationFile = "operator" | "agent" | "rules" | "status"

const SCHEMAS = { operator: OperatorSettings, agent: AgentSettings, rules: RulesFile, status: FleetStatus }

const TITLES: Readonly<Record<ConfigurationFile, { title: string; about: string }>> = {
  operator: {
    title: "The operator's file",
    about: "Plugin and bootstrapper read the same one. An unknown field is an error.",
  },
  agent: {
    title: "The agent's file",
    about: "One record, and what to show of it where. An unknown field is an error.",
  },
  status: {
    title: "What status prints",
    about:
      "The output of `headrace-bootstrapper status -o json`. A version that adds a field raises `format`; no field changes its meaning or goes. [The commands](../how-to/status.md) read it with jq.",
  },
  rules: {
    title: "The rules",
    about:
      "Prow's `config_updater`, as in a plugins.yaml; the rest of that file is ignored. An unknown field of `config_updater` is an error.",
  },
}

/** The schema that validates a file, as JSON Schema for editors or as a page for people: one definition for all. */
export function schemaText(file: ConfigurationFile, format: "json" | "markdown"): string {
  const { title, about } = TITLES[file]
  const schema: JsonSchema = { title, description: about, ...jsonSchemaOf(SCHEMAS[file]) }
  return format === "json" ? `${JSON.stringify(schema, undefined, 2)}\n` : referencePage(title, about, schema)
}
