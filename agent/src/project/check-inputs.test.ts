import { AgentSettings } from "@headrace/shared/settings/agent-settings"
import { parseSettings } from "@headrace/shared/settings/parse-settings"
import { expect, it } from "vitest"
import { checkInputs } from "./check-inputs.ts"

function check(from: string): void {
  const yaml = `{version: 1, record: h/r, projections: {jobs: {path: /p, from: ${from}}}}`
  const { projections } = parseSettings(yaml, "agent.yaml", AgentSettings)
  checkInputs("jobs", projections.jobs?.from ?? [])
}

it.each([
  [
    "items of two sources",
    "[{configMap: a/b, under: x, items: [{key: k, path: y}]}, {live: {configMap: a/c}, items: [{key: k, path: x/y}]}]",
    '"x/y"',
  ],
  ["items of one source", "[{configMap: a/b, items: [{key: k, path: y}, {key: l, path: y}]}]", '"y"'],
  ["one target", "[{configMap: a/b}, {configMap: a/b, under: /}]", "ConfigMap a/b by keys"],
  ["one selection", "[{live: {labelSelector: a=b}}, {live: {labelSelector: a=b}}]", "a=b"],
  ["one branch", "[{git: {url: /r, branch: m}}, {git: {branch: m, url: /r}}]", "/r"],
])("refuses what %s give twice, and names it", (_, from, named) => {
  expect(() => check(from)).toThrow(expect.objectContaining({ code: "settings/same-path" }))
  expect(() => check(from)).toThrow(named)
})

it("takes one source at two places, two ways, or in parts", () => {
  check("[{configMap: a/b}, {configMap: a/b, under: again}, {configMap: a/b, names: paths, under: p}]")
  check("[{configMap: a/b, items: [{key: k, path: y}]}, {configMap: a/b, items: [{key: k, path: z}]}]")
})
