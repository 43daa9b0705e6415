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

const NAMED = `
    "conf/café.yaml": {name: literal}
    "café/*.yaml": {name: folder}
    "class/[a-m]*.yaml": {name: class}
    "deep/**/*.yaml": {name: deep}
    "conf/*.json": {name: json}
    "conf/{na\u00efve,resum\u00e9}.txt": {name: braces}
    "conf/z*": {name: last}
`

it("fails every target that a file could go to whose name is no UTF-8 any more", () => {
  expect(failed(NAMED, "conf/caf\ufffd.yaml", false)).toEqual(["literal"])
  expect(failed(NAMED, "caf\ufffd/a.yaml", false)).toEqual(["folder"])
  expect(failed(NAMED, "\ufffd/a.yaml", false)).toEqual([])
  expect(failed(NAMED, "class/\ufffd.yaml", false)).toEqual(["class"])
  expect(failed(NAMED, "deep/x/y/\ufffd.yaml", false)).toEqual(["deep"])
  expect(failed(NAMED, "deep/\ufffd/y/z.yaml", false)).toEqual(["deep"])
  expect(failed(NAMED, "conf/na\ufffdve.txt", false)).toEqual(["braces"])
  expect(failed(NAMED, "conf/r\ufffdsum\ufffd.txt", false)).toEqual(["braces"])
  // Two bytes of another encoding may be one character.
  expect(failed(NAMED, "caf\ufffd\ufffd/a.yaml", false)).toEqual(["folder"])
  expect(failed(NAMED, "\ufffd", false)).toEqual([])
  expect(failed(NAMED, "conf/x\ufffd.xml", false)).toEqual([])
  expect(failed(NAMED, "conf/zcaf\ufffd.yaml", false)).toEqual(["last"])
})

it("fails every target beneath a folder whose name is no UTF-8 any more", () => {
  expect(failed(NAMED, "caf\ufffd", true)).toEqual(["folder"])
  expect(failed(NAMED, "deep/a\ufffd", true)).toEqual(["deep"])
  expect(failed(NAMED, "other/\ufffd", true)).toEqual([])
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
