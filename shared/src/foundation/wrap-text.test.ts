import { describe, expect, it } from "vitest"
import { wrapCommand } from "./wrap-text.ts"

const WIDTH = 40

describe("wrapCommand", () => {
  it.each([
    // Two columns of indent and two of the backslash come to what the flag alone has room for.
    ["a flag as long as a line", `run --reason ${"r".repeat(28)} --yes`],
    ["a command of many words before its flags", "run rollout skip the cluster of that name now --yes"],
    [
      "a flag with many words as its value",
      'run --reason "why not, since it is only a test of widths" --yes',
    ],
  ])("gives no line more columns than there are: %s", (_, command) => {
    const lines = wrapCommand(command, WIDTH)
    const breakable = lines.filter((line) => !line.includes('"'))
    expect(Math.max(...breakable.map((line) => line.length))).toBeLessThanOrEqual(WIDTH)
    expect(lines.map((line) => line.replace(/ \\$/, "").trim()).join(" ")).toBe(command)
  })

  it("leaves a quoted value whole", () => {
    expect(wrapCommand('run --reason "why not, since it is only a test of widths" --yes', WIDTH)).toEqual([
      "run --reason \\",
      '  "why not, since it is only a test of widths" \\',
      "  --yes",
    ])
  })
})
