import { type Paint, PLAIN } from "@headrace/shared/command-line/paint"
import { expect, it } from "vitest"
import { differencesText, type TargetDifference } from "./target-difference.ts"

const TARGET = { cluster: "east", namespace: "ci", name: "jobs" }

const COLORED: Paint = {
  ...PLAIN,
  red: (text) => `\u001b[31m${text}\u001b[39m`,
  green: (text) => `\u001b[32m${text}\u001b[39m`,
}

function changed(before: Buffer, after: Buffer): TargetDifference[] {
  return [{ target: TARGET, state: "present", keys: [{ key: "a", kind: "changed", before, after }] }]
}

it("shows a change of text as a unified diff, coloured on a terminal alone", () => {
  const difference = changed(Buffer.from("old\n"), Buffer.from("new\n"))

  expect(differencesText(difference)).toContain("\n-old\n+new\n")
  expect(differencesText(difference, COLORED)).toContain(
    "\u001b[31m-old\u001b[39m\n\u001b[32m+new\u001b[39m\n",
  )
})

it("gives sizes alone for what is not text", () => {
  const text = differencesText(changed(Buffer.from([0xff, 0x00]), Buffer.from([0xff])))

  expect(text).toBe("east/ci/jobs\n  changed a: 2 to 1 bytes\n")
})

it("names the attributes for which a clone has other bytes than git", () => {
  const [one] = changed(Buffer.from("a\r\n"), Buffer.from("a\n"))
  const keys = one?.keys.map((key) => ({ ...key, attributes: ["eol=crlf", "ident"] })) ?? []

  expect(differencesText([{ target: TARGET, state: "present", keys }])).toContain(
    "  changed a: 3 to 2 bytes (eol=crlf, ident in .gitattributes: a clone, which Prow reads, has other bytes on disk)\n",
  )
})
