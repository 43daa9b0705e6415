import fc from "fast-check"
import { expect, it } from "vitest"
import { compileGlob } from "../foundation/compile-glob.ts"
import { parseRules } from "../rules/parse-rules.ts"
import type { Rule, RuleSet } from "../rules/rule.ts"
import { indexRules } from "../rules/rule-index.ts"
import { brokenFiles } from "./broken-files.ts"
import { compileRules } from "./compile-rules.ts"

const CONTEXT = { defaults: { cluster: "c", namespace: "n" } }

function rulesOf(maps: string): RuleSet {
  const { rules } = parseRules(`config_updater:\n  maps:\n${maps}`, "rules.yaml")
  if (rules === undefined) throw new Error("the rules of the test have a mistake")
  return rules
}

function failed(maps: string, file: string, beneath: boolean): string[] {
  const problem = { severity: "error", code: "git/link-dangling", message: "dangles", file, beneath } as const
  const { targets } = brokenFiles(compileRules(rulesOf(maps), CONTEXT), [problem])
  return [...targets].map((target) => target.replace("c/n/", "")).sort()
}

const RULES = `
    "current/*.yaml": {name: beneath}
    "current": {name: exact}
    "**/*.json": {name: anywhere}
    "current/v?/{a,b}/*": {name: deep, partitioned_names: [p0, p1, p2]}
    "curren": {name: other}
    "currently/*": {name: longer}
`.replace("name: deep, ", "")

it("fails every target that a file at or beneath a path could go to, in every partition", () => {
  expect(failed(RULES, "current", true)).toEqual(["anywhere", "beneath", "exact", "p0", "p1", "p2"])
  expect(failed(RULES, "current/v1", true)).toEqual(["anywhere", "p0", "p1", "p2"])
  expect(failed(RULES, "current/x", true)).toEqual(["anywhere"])
  expect(failed(RULES, "elsewhere", true)).toEqual(["anywhere"])
})

it("fails one target alone for what can only be a file", () => {
  expect(failed(RULES, "current", false)).toEqual(["exact"])
  expect(failed(RULES, "current/x.yaml", false)).toEqual(["beneath"])
  expect(failed(RULES, "elsewhere", false)).toEqual([])
})

it("reaches, from each folder of a path, every rule that matches the path", () => {
  const part = fc.constantFrom("a", "b", "c.d", ".h")
  const path = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"))
  const piece = fc.constantFrom("a", "b", "*", "**", "?", "*.d", "{a,b}", "{a,b/c.d}", "[ab]", ".*", "c.d")
  const glob = fc.array(piece, { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join("/"))
  let matched = 0
  fc.assert(
    fc.property(glob, path, (text, file) => {
      if (!compileGlob(text).match(file)) return
      matched++
      const index = indexRules([{ glob: text } as Rule])
      const parts = file.split("/")
      for (let depth = 1; depth <= parts.length; depth++) {
        expect([text, index.reaching(parts.slice(0, depth).join("/")).length]).toEqual([text, 1])
      }
    }),
    { numRuns: 5000 },
  )
  expect(matched).toBeGreaterThan(100)
})
