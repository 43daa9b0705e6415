import { expect, it } from "vitest"
import { OperatorSettings } from "./operator-settings.ts"
import { parseSettings } from "./parse-settings.ts"

function settings(gates: string): string {
  const source = "{url: https://example.com/r.git, branch: main, rules: rules.yaml"
  return `version: 1\nsources:\n  jobs: ${source},\n    gates: ${gates}}\n`
}

const parse = (gates: string) =>
  parseSettings(settings(gates), "headrace.yaml", OperatorSettings).sources.jobs?.gates

it("gives the gates of a source in units, and none where there are none", () => {
  expect(
    parse(
      '{change: {targets: 50%, bytes: x1.5, emptied: 5}, files: [{glob: "**", parse: yaml}, {glob: a, exec: [check, -x], timeout: 2m, memory: 64Mi, onPullRequests: true}]}',
    ),
  ).toEqual({
    change: { targets: 0.5, bytes: 1.5, emptied: 5 },
    files: [
      { glob: "**", parse: "yaml" },
      { glob: "a", exec: ["check", "-x"], timeout: 120_000, memory: 2 ** 26, onPullRequests: true },
    ],
  })
  expect(parse("{}")).toEqual({ files: [] })
})

it.each([
  ["{change: {byte: x4}}", /4:\d+: .*unknown field "byte".*bytes/],
  ["{change: {bytes: 4}}", /4:\d+: .*expected a factor above x1, such as x4/],
  ["{change: {bytes: x1}}", /expected a factor above x1/],
  ["{change: {targets: 0.5}}", /expected a percentage such as 20%/],
  ["{change: {emptied: -1}}", /4:\d+: /],
  ["{files: [{glob: a}]}", /4:\d+: .*expected exactly one of parse, schema, builtin, exec/],
  [
    "{files: [{glob: a, parse: yaml, schema: s.json}]}",
    /expected exactly one of .* there are parse and schema/,
  ],
  ["{files: [{parse: yaml}]}", /4:\d+: .*glob/],
  ['{files: [{glob: "", parse: yaml}]}', /4:\d+: /],
  ["{files: [{glob: a, parse: toml}]}", /4:\d+: /],
  ["{files: [{glob: a, builtin: prow}]}", /4:\d+: /],
  ["{files: [{glob: a, parse: yaml, timeout: 3s}]}", /timeout is of exec alone/],
  ["{files: [{glob: a, exec: []}]}", /4:\d+: /],
  ["{files: [{glob: a, exec: [./check]}]}", /expected an absolute path, or a name that PATH has/],
  [
    `{files: [{glob: "${"{a,b}".repeat(11)}", parse: yaml}]}`,
    /the glob cannot be used: its braces stand for more/,
  ],
])("refuses %s with its place", (gates, message) => {
  expect(() => parse(gates)).toThrow(message)
})
