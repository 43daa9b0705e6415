import type { Problem } from "@headrace/shared/foundation/problem"
import { describe, expect, it } from "vitest"
import { groupCollisions } from "./group-collisions.ts"
import { reportGithub, reportText } from "./report.ts"

const RULE = { file: "plugins.yaml", line: 3, column: 5 }

function collision(key: string, paths: string[], cluster = "a", line = 3): Problem {
  const target = { cluster, namespace: "ci", name: "c" }
  const message = `several files give key ${key}`
  return {
    ...RULE,
    line,
    severity: "warning",
    code: "plan/key-collision",
    message,
    target,
    collision: { key, paths },
  }
}

describe("collisions", () => {
  const found = [
    ...["a", "b"].map((cluster) => collision("x", ["1/x", "2/x", "3/x"], cluster)),
    ...["p", "q", "r"].map((key) => collision(key, [`1/${key}`, `2/${key}`])),
    collision("x", ["4/x", "5/x"], "a", 9),
  ]

  it("are one error for each rule, with how many files are lost in all", () => {
    const problems = groupCollisions(found, false)
    expect(problems).toMatchObject([
      {
        severity: "error",
        line: 3,
        lost: 5,
        message: expect.stringMatching(/^5 files are lost: .*1 more keys$/),
      },
      { severity: "error", line: 9, lost: 1, message: expect.stringContaining("4/x, 5/x") },
    ])
    expect(reportText({ problems, sizes: [], changes: undefined })).toMatch(
      /^2 errors, 0 warnings; 6 files lost$/m,
    )
  })

  it("are warnings where Prow's ways are accepted, and leave other problems as they are", () => {
    const other: Problem = { ...RULE, severity: "error", code: "plan/illegal-key", message: "m" }
    const problems = groupCollisions([other, ...found], true)
    expect(problems.map(({ severity }) => severity)).toEqual(["error", "warning", "warning"])
    expect(problems[0]).toBe(other)
  })
})

it("counts what is printed: one reason against many places is one line", () => {
  const at = (namespace: string, message = "no cluster b"): Problem => ({
    ...RULE,
    severity: "error",
    code: "plan/unknown-cluster",
    message,
    target: { cluster: "b", namespace, name: "c" },
  })
  const report = { problems: [at("x"), at("y"), at("x", "other")], sizes: [], changes: undefined }
  for (const text of [reportText(report), reportGithub(report)]) {
    expect(text.trimEnd().split("\n")).toHaveLength(3)
    expect(text).toMatch(/^2 errors, 0 warnings$/m)
  }
})

describe("what a file of a repository is called", () => {
  const name = "a\n::error::b\u001b[2J,c:d%"
  const problems: Problem[] = [
    {
      severity: "warning",
      code: "plan/illegal-key",
      message: `the file ${name}`,
      file: name,
      line: 1,
      column: 2,
    },
  ]
  const target = { cluster: name, namespace: "ci", name: "c" }
  const report = {
    problems,
    sizes: [{ target, keys: 1, bytes: 1, left: 1 }],
    changes: [{ target, added: [name], changed: [], removed: [] }],
  }

  it("starts no line of a report, and no command in one for GitHub", () => {
    const text = reportText(report)
    expect(text.trimEnd().split("\n")).toHaveLength(4)
    const lines = reportGithub(report).trimEnd().split("\n")
    expect(lines.filter((line) => line.startsWith("::"))).toEqual([
      "::warning file=a%0A%3A%3Aerror%3A%3Ab\\u001b[2J%2Cc%3Ad%25,line=1,col=2,title=plan/illegal-key::the file a%0A::error::b\\u001b[2J,c:d%25",
    ])
    expect(lines).toHaveLength(4)
    expect(text + lines.join("")).not.toContain("\u001b")
  })
})
