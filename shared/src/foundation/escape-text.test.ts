import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { escapeLine, escapeLines, escapeText } from "./escape-text.ts"

const ESC = "\u001b"

describe("text that a repository named", () => {
  it.each([
    ["a\nb", "a\\nb"],
    ["a\rb", "a\\rb"],
    [`${ESC}[31mred`, "\\u001b[31mred"],
    ["\u009b31m", "\\u009b31m"],
    ["a\u2028b", "a\\u2028b"],
    ["x\u202egpj.exe", "x\\u202egpj.exe"],
    ["Überschrift/文件/файл.yaml", "Überschrift/文件/файл.yaml"],
  ])("%j is printed as %j", (text, printed) => {
    expect(escapeText(text)).toBe(printed)
  })

  it.each(["::error::x", "  ::add-mask::x", "##[group]x", "\t::stop-commands::x"])(
    "%j is no command for GitHub's log",
    (text) => {
      for (const printed of [escapeLine(text), escapeLines(`before\n${text}\nafter`)]) {
        for (const line of printed.split("\n")) expect(line.trim()).not.toMatch(/^(::|##\[)/)
      }
    },
  )

  it("is never more than its line, and has nothing that a terminal acts on", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(escapeLine(text)).not.toMatch(/[\p{Cc}\u2028\u2029]/u)
        expect(escapeLines(text).split("\n")).toHaveLength(text.split("\n").length)
      }),
    )
  })
})
