import { compileGlob } from "@headrace/shared/foundation/compile-glob"
import { globDifferences } from "@headrace/shared/rules/glob-dialect"
import { parseRules } from "@headrace/shared/rules/parse-rules"
import fc from "fast-check"
import { describe, expect, it } from "vitest"

/** Far above what any of these takes, so that a slow machine passes; a runaway takes minutes, or all memory. */
const BOUND = { timeout: 600_000 }
const MEMORY_BOUND = 512 * 2 ** 20

function codes(text: string): string[] {
  return parseRules(text, "p.yaml").problems.map(({ code }) => code)
}

function aliasBomb(levels: number, leaf: string, wrap: (name: string) => string): string {
  const lines = [`x0: &x0 ${leaf}`]
  for (let level = 1; level < levels; level++) {
    lines.push(`x${level}: &x${level} ${wrap(`x${level - 1}`)}`)
  }
  return lines.join("\n")
}

const list = (name: string) => `[${Array(10).fill(`*${name}`).join(", ")}]`
const merged = (name: string) => `{<<: [${Array(10).fill(`*${name}`).join(", ")}]}`

describe("hostile YAML ends with an error", BOUND, () => {
  it.each([
    [
      "an alias bomb of lists",
      `${aliasBomb(30, "[a]", list)}\nconfig_updater: {maps: *x29}`,
      "rules/too-large",
    ],
    [
      "an alias bomb among the clusters",
      `${aliasBomb(30, "[a]", list)}\nconfig_updater: {maps: {a: {name: b, clusters: {c: *x29}}}}`,
      "rules/too-large",
    ],
    ["a merge bomb", `${aliasBomb(30, "{a: b}", merged)}\nconfig_updater: {maps: *x29}`, "rules/too-large"],
    ["an alias inside its own anchor", "config_updater: &a {maps: {x: *a}}", "rules/too-large"],
    [
      "a list inside itself",
      "config_updater: {maps: {a: {name: b, cluster_groups: &g [*g]}}}",
      "rules/too-large",
    ],
    ["deep nesting in flow style", `config_updater: ${"[".repeat(50_000)}`, "yaml/syntax"],
    [
      "deep nesting in block style",
      Array.from({ length: 500 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n"),
      "yaml/syntax",
    ],
    ["a glob called __proto__", "config_updater: {maps: {__proto__: {name: b}}}", "rules/wrong-key"],
    ["a duplicate field", "config_updater:\n  maps:\n    a: {name: b, name: c}", "rules/duplicate-key"],
    ["a huge scalar", `config_updater: {maps: {a: {name: ${"x".repeat(9 * 2 ** 20)}}}}`, "rules/too-large"],
    [
      "a huge glob",
      `config_updater: {maps: {${"a".repeat(900)}${"/b".repeat(2000)}: {name: c}}}`,
      "rules/wrong-glob",
    ],
    [
      "UTF-16 read as UTF-8",
      Buffer.from("\ufeffconfig_updater: {maps: {}}", "utf16le").toString("utf8"),
      "yaml/syntax",
    ],
    ["control characters", "config_updater: {maps: {a: {name: 'b\u0000'}}}", "yaml/syntax"],
    ["an unknown tag", "config_updater: !ruby/object:Kernel {maps: {}}", "yaml/syntax"],
    ["binary where text belongs", "config_updater: {maps: {a: {name: !!binary aGk=}}}", "rules/wrong-value"],
    ["a set where a mapping belongs", "config_updater: {maps: !!set {a}}", "rules/wrong-value"],
    ["an undefined alias", "config_updater: *nowhere", "yaml/syntax"],
    ["several documents", "config_updater: {}\n---\nconfig_updater: {}", "yaml/syntax"],
  ])("%s", (_name, text, code) => {
    expect(codes(text)).toContain(code)
    expect(parseRules(text, "p.yaml").rules).toBeUndefined()
    expect(process.memoryUsage().heapUsed).toBeLessThan(MEMORY_BOUND)
  })

  it("a byte order mark is none of that", () => {
    expect(codes("\ufeffconfig_updater: {maps: {a: {name: b}}}")).toEqual([])
  })

  it("any text whatever: a rule set or an error with its place, never an exception", () => {
    const token = fc.constantFrom(
      ..."config_updater|maps|name|cluster_groups|clusters|partitioned_names|key|gzip|*|**/*.yaml|a|yes|010|null|~|&a|*a|<<|:|: |- |,|[|]|{|}|\n|\n  |\n    |\n      |'|\"|#|!!|!|---|...|%|@|`|\\|\t|\u0000|\ud800".split(
        "|",
      ),
    )
    const soup = fc.array(fc.oneof({ weight: 8, arbitrary: token }, fc.string()), { maxLength: 60 })
    fc.assert(
      fc.property(soup, (tokens) => {
        for (const text of [
          tokens.join(""),
          `config_updater:\n  maps:\n    a: {name: b}\n    ${tokens.join("")}`,
        ]) {
          const { rules, problems } = parseRules(text, "p.yaml")
          const errors = problems.filter(({ severity }) => severity === "error")
          expect(rules === undefined).toBe(errors.length > 0)
          for (const error of errors) expect(error.file).toBe("p.yaml")
        }
      }),
      { numRuns: 1000 },
    )
  })
})

describe("a catastrophic glob", BOUND, () => {
  const long = "a".repeat(4000)
  const deep = "a/".repeat(1500)

  it.each([
    ["many stars in a name", `${"*a".repeat(200)}b`, long],
    ["many stars and question marks", `${"*?".repeat(200)}b`, long],
    ["many stars and classes", `${"*[a-z]".repeat(100)}[0-9]`, long],
    ["many globstars", `${"**/a/".repeat(100)}b`, `${deep}c`],
    ["globstars with stars between", `${"**/*a*/".repeat(100)}b`, `${deep}c`],
    ["alternatives of stars", `{${Array(300).fill("*a*a*a*b").join(",")}}`, long],
    ["ranges of a million numbers", "{1..1000000}x{1..1000000}", "0x5"],
  ])("of %s is answered", (_name, glob, path) => {
    expect(compileGlob(glob).match(path)).toBe(false)
  })

  it.each([
    ["nested braces", "{a,b}".repeat(20)],
    ["ranges of letters", "{a..z}".repeat(6)],
    ["braces in braces", `${"{a,".repeat(2000)}b${"}".repeat(2000)}`],
  ])("of %s is refused", (_name, glob) => {
    expect(() => compileGlob(glob)).toThrow()
  })

  it("of any form is answered or refused, and distinguished from Prow's reading", () => {
    const piece = fc.constantFrom(
      "*",
      "**",
      "/",
      "a",
      "?",
      "[",
      "]",
      "{",
      "}",
      ",",
      "..",
      "1",
      "\\",
      "!",
      "(",
      ")",
      "+",
    )
    const glob = fc.array(piece, { minLength: 1, maxLength: 40 }).map((pieces) => pieces.join(""))
    fc.assert(
      fc.property(glob, fc.string({ maxLength: 200 }), (text, path) => {
        globDifferences(text)
        try {
          expect(typeof compileGlob(text).match(path)).toBe("boolean")
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
          expect(String(error)).not.toContain("call stack")
        }
      }),
      { numRuns: 2000 },
    )
  })
})
