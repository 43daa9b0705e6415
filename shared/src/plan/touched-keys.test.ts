import { expect, it } from "vitest"
import { resolveLinks } from "../git/links/resolve-links.ts"
import { parseRules } from "../rules/parse-rules.ts"
import { planTargets } from "./plan-targets.ts"
import { touchedKeys } from "./touched-keys.ts"

const CONTEXT = { defaults: { cluster: "east", namespace: "ci" } }
const { rules } = parseRules(
  "config_updater: {maps: {'shown/**': {name: shown}, '*.yaml': {name: top}}}",
  "r",
)

it.each([
  ["a file that links and a linked folder show", "real/a", ["shown/folder/a", "top.yaml"]],
  ["the link to a folder itself", "shown/folder", ["shown/folder/a", "shown/folder/b"]],
  ["the link to a file itself", "top.yaml", ["top.yaml"]],
  ["a file that no link shows", "other", []],
])("finds what a change of %s touches", (_, changed, expected) => {
  if (!rules) throw new Error("the rules do not parse")
  const files = ["other", "real/a", "real/b"].map((path) => ({ path, oid: path, size: 1, executable: false }))
  const links = [
    { path: "shown/folder", target: "../real" },
    { path: "top.yaml", target: "real/a" },
  ]
  const plan = planTargets(rules, resolveLinks({ files, links, problems: [] }), CONTEXT)
  const touched = touchedKeys(rules, plan, [changed], CONTEXT)
  const shown = touched.flatMap(({ keys }) =>
    [...keys.values()].flatMap((planned) => planned?.file.path ?? []),
  )
  expect(shown.sort()).toEqual(expected)
})
