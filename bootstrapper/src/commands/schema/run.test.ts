import { readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { loadAgentSettings } from "@headrace/shared/settings/load-agent-settings"
import { loadOperatorSettings } from "@headrace/shared/settings/load-operator-settings"
import { describe, expect, it } from "vitest"
import { type ConfigurationFile, schemaText } from "./run.ts"

const ROOT = resolve(import.meta.dirname, "../../../..")
const FILES: ConfigurationFile[] = ["operator", "agent", "rules", "status"]
const SAMPLES = ["config/samples", "config/overlays/example"].flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((file) => file.endsWith(".yaml") && /^(agent|headrace)/.test(file))
    .map((file) => `${folder}/${file}`),
)

/** After a change of a schema, `vitest run bootstrapper/src/commands/schema --update=all` rewrites the files. */
describe("what is generated from the schemas", () => {
  it.each(FILES)("the JSON Schema of %s is the committed one", async (file) => {
    await expect(schemaText(file, "json")).toMatchFileSnapshot(
      join(ROOT, `config/schema/${file}.schema.json`),
    )
  })

  it.each(FILES)("the reference page of %s is the committed one", async (file) => {
    await expect(schemaText(file, "markdown")).toMatchFileSnapshot(join(ROOT, `docs/reference/${file}.md`))
  })

  it("describes every field of the rules, and nested ones by their path", () => {
    const page = schemaText("rules", "markdown")

    expect(page).toContain("| `config_updater.maps.NAME.partitioned_names` | list of string |")
    expect(page.split("\n").filter((line) => line.startsWith("| `") && line.endsWith("|  |"))).toEqual([])
  })

  it("forbids unknown fields wherever the validator does, and outside config_updater allows them", () => {
    const operator = JSON.parse(schemaText("operator", "json"))
    const rules = JSON.parse(schemaText("rules", "json"))

    expect(operator.additionalProperties).toBe(false)
    expect(operator.properties.sources.additionalProperties.additionalProperties).toBe(false)
    expect(rules.additionalProperties).toEqual({})
    expect(JSON.stringify(rules.properties.config_updater)).toContain('"additionalProperties":false')
  })
})

describe("a sample", () => {
  it.each(SAMPLES)("%s names its schema for editors, and loads", async (sample) => {
    const place = join(ROOT, sample)
    const [modeline = ""] = readFileSync(place, "utf8").split("\n")
    const [, schema] =
      /^# yaml-language-server: \$schema=[./]+\/schema\/(\w+)\.schema\.json$/.exec(modeline) ?? []

    expect(FILES).toContain(schema)
    const load = schema === "agent" ? loadAgentSettings : loadOperatorSettings
    expect(await load(place)).toMatchObject({ version: 1 })
  })
})
