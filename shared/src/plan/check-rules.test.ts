import { expect, it } from "vitest"
import { parseRules } from "../rules/parse-rules.ts"
import type { RuleSet } from "../rules/rule.ts"
import { claimedTwice } from "./check-rules.ts"

function rulesOf(file: string, text: string): RuleSet {
  const { rules } = parseRules(text, file)
  if (rules === undefined) throw new Error(`${file} does not parse`)
  return rules
}

it("finds no target claimed twice by a rule that this repository may not feed", () => {
  const ours = rulesOf(
    "ours.yaml",
    `config_updater:
      maps:
        a: {name: alpha, allowed_repos: [org/other]}
        b: {name: beta, allowed_repos: [org/ours]}`,
  )
  const others = [rulesOf("theirs.yaml", "config_updater: {maps: {a: {name: alpha}, b: {name: beta}}}")]
  const context = { repo: "org/ours", defaults: { cluster: "east", namespace: "ci" } }
  const names = claimedTwice(ours, others, context).map(({ target }) => target?.name)
  expect(names).toEqual(["beta"])
})
