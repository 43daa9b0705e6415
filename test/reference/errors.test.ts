import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { agentErrors } from "@headrace/agent/error-codes"
import { bootstrapperErrors } from "@headrace/bootstrapper/error-codes"
import { localErrors } from "@headrace/config/local/error-codes"
import { pluginErrors } from "@headrace/plugin/error-codes"
import * as sharedModules from "@headrace/shared/error-codes"
import { type ErrorMeanings, HeadraceError, hasCode } from "@headrace/shared/foundation/errors"
import { describe, expect, it } from "vitest"
import { errorPage } from "./error-page.ts"

const ROOT = join(import.meta.dirname, "../..")
const PACKAGES: readonly ErrorMeanings[] = [
  ...Object.values(sharedModules),
  agentErrors,
  bootstrapperErrors,
  pluginErrors,
  localErrors,
]
const ALL: ErrorMeanings = Object.assign({}, ...PACKAGES)
const CODES = Object.keys(ALL).sort()
const AREAS = [...new Set(CODES.map((code) => code.slice(0, code.indexOf("/"))))]
const SOURCES = globSync(["*/src/**/*.ts", "config/local/**/*.ts"], { cwd: ROOT })
  .filter((file) => !/\.test\.ts$|(^|\/)error-codes\.ts$|node_modules|\/dist\//.test(file))
  .map((file) => ({ file, text: readFileSync(join(ROOT, file), "utf8") }))

function found(pattern: RegExp): { file: string; code: string }[] {
  return SOURCES.flatMap(({ file, text }) =>
    [...text.matchAll(pattern)].map(([, code = ""]) => ({ file, code })),
  )
}

/** Begins with a capital and a verb; these words begin a statement. */
const INSTRUCTION =
  /^(?!(?:A|An|The|It|Its|This|That|These|Both|Nothing|Somebody|What|There|No|Only|Without|If|Known|Expected)\b)[A-Z].*[.?]$/s

describe("error codes", () => {
  it("are all explained in docs/reference/errors.md (vitest run test/reference --update=all rewrites it)", async () => {
    await expect(errorPage(ALL)).toMatchFileSnapshot(join(ROOT, "docs/reference/errors.md"))
  })

  it("are declared by one module each", () => {
    const declared = PACKAGES.flatMap((meanings) => Object.keys(meanings))
    const modules = globSync("shared/src/*/**/error-codes.ts", { cwd: ROOT }).flatMap((file) =>
      [...readFileSync(join(ROOT, file), "utf8").matchAll(/^ {2}"([a-z-]+\/[a-z-]+)": \{$/gm)].map(
        ([, code]) => code,
      ),
    )
    expect(declared.length).toBe(CODES.length)
    expect(modules.sort()).toEqual(Object.values<ErrorMeanings>(sharedModules).flatMap(Object.keys).sort())
  })

  it("are written out where they are used, and no other is used or named", () => {
    const literals = found(new RegExp(`"((?:${AREAS.join("|")})/[a-z][a-z-]*)"`, "g"))
    const thrown = found(/(?:HeadraceError|UsageError|KubeError)\(\s*"([^"]+)"/g)
    const named = found(new RegExp(`\`((?:${AREAS.join("|")})/[a-z][a-z-]*)\``, "g"))
    expect(thrown.length).toBeGreaterThan(100)
    expect([...literals, ...thrown, ...named].filter(({ code }) => !CODES.includes(code))).toEqual([])
    expect(found(/((?:(?:HeadraceError|UsageError|KubeError)\(|\bcode:|hasCode\(\w+,)\s*`[^`]*`)/g)).toEqual(
      [],
    )
  })

  it("are each used somewhere", () => {
    const used = new Set(found(/"([a-z-]+\/[a-z-]+)"/g).map(({ code }) => code))
    expect(CODES.filter((code) => !used.has(code))).toEqual([])
  })

  it("are explained in whole sentences", () => {
    for (const [code, texts] of Object.entries(ALL)) {
      for (const text of [texts.meaning, texts.cause, texts.remedy])
        expect(text, code).toMatch(/^\S.*[^\s.]\.$/s)
    }
  })

  it("are explained by a remedy that is an instruction", () => {
    expect(CODES.filter((code) => !INSTRUCTION.test(ALL[code as keyof typeof ALL]?.remedy ?? ""))).toEqual([])
  })

  it("cannot be misspelt", () => {
    // @ts-expect-error: no module declares it.
    const misspelt = new HeadraceError("git/auth-faild", "no such code")
    // @ts-expect-error: no module declares it.
    expect(hasCode(misspelt, "git/auth-failed-too")).toBe(false)
    // @ts-expect-error: no module declares codes of this area.
    expect(hasCode(misspelt, "gti/")).toBe(false)
  })
})

describe("hints", () => {
  it("are instructions: a capital, a verb, a full stop", () => {
    const hints = SOURCES.flatMap(({ file, text }) =>
      [
        ...text.matchAll(
          /\bhint(?:: | = )(?:[\w.]+ [=!<>]+ [\w"]+\s*\? )?(?:"([^"\n]*)"|'((?:[^'\\\n]|\\.)*)'|`([^`\n]*)`)/g,
        ),
      ].map((match) => `${file}: ${match[1] ?? match[2] ?? match[3]}`),
    )
    expect(hints.length).toBeGreaterThan(100)
    expect(hints.filter((hint) => !INSTRUCTION.test(hint.slice(hint.indexOf(": ") + 2)))).toEqual([])
  })
})
