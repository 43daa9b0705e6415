import { expect, it } from "vitest"
import { parseChanges } from "./parse-changes.ts"

it("takes changes in GitHub's words, with whatever else GitHub says of them", () => {
  const text = '[\n\t{"filename": "b", "status": "renamed", "previous_filename": "a", "sha": "1"}\n]'
  expect(parseChanges(text, "c.json")).toEqual([{ filename: "b", status: "renamed", previous_filename: "a" }])
})

it.each([
  [
    '[\n  {"filename": "a", "status": "bogus"}\n]',
    /^c\.json:2:31: error: \[0\]\.status: .*"added".*"modified"/m,
  ],
  ['[\n\t{"filename": "a", "status": "bogus"}\n]', /^c\.json:2:\d+: error: \[0\]\.status/m],
  ['[{"status": "added"}]', /^c\.json:1:2: error: .*filename/m],
  ["{}", /^c\.json:1:1: error: .*expected array/m],
  ["[,]", /c\.json is not JSON: /],
])("says what is wrong with %j, and where", (text, message) => {
  expect(() => parseChanges(text, "c.json")).toThrow(expect.objectContaining({ code: "plan/wrong-changes" }))
  expect(() => parseChanges(text, "c.json")).toThrow(message)
})
