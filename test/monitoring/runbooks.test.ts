import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { createAgentProgram } from "@headrace/agent/agent-program"
import { agentErrors } from "@headrace/agent/error-codes"
import { createBootstrapperProgram } from "@headrace/bootstrapper/bootstrapper-program"
import * as sharedErrors from "@headrace/shared/error-codes"
import type { Command } from "commander"
import { expect, it } from "vitest"
import { METRICS, problemsOf, ROOT } from "./alert-rules.ts"

const NEVER = new AbortController().signal
const PROGRAMS: Readonly<Record<string, Command>> = {
  "headrace-bootstrapper": createBootstrapperProgram({ signal: NEVER, exitCode: 0 }),
  "headrace-agent": createAgentProgram(NEVER),
}
const CODES = [...Object.values(sharedErrors), agentErrors].flatMap((errors) => Object.keys(errors))
const AREAS = new Set(CODES.map((code) => code.slice(0, code.indexOf("/"))))
const PAGES = globSync("docs/runbooks/*.md", { cwd: ROOT }).map((file) => ({
  file,
  text: readFileSync(join(ROOT, file), "utf8"),
}))

/** The command lines of ours that a page has, in blocks and in the text. */
function commandLines(text: string): string[] {
  return [...text.matchAll(/(?:^|`|-- )(headrace-(?:bootstrapper|agent) [^`\n|]+)/gm)].map(
    ([, line = ""]) => line,
  )
}

it("the commands of the runbooks are commands of the programs, with flags that they have", () => {
  const lines = PAGES.flatMap(({ file, text }) => commandLines(text).map((line) => ({ file, line })))
  expect(lines.length).toBeGreaterThan(25)
  for (const { file, line } of lines) {
    const [program = "", name = "", ...rest] = line.trim().split(/\s+/)
    const command = PROGRAMS[program]?.commands.find((one) => one.name() === name)
    expect(command, `${file}: ${line}`).toBeDefined()
    const flags = rest.filter((word) => word.startsWith("--"))
    for (const given of flags) {
      expect(
        command?.options.map(({ long }) => long),
        `${file}: ${line}`,
      ).toContain(given)
    }
  }
})

it("the codes and metrics that runbooks name are there", () => {
  for (const { file, text } of PAGES) {
    const codes = [...text.matchAll(/`([a-z-]+)\/([a-z-]+)`/g)].filter(([, area = ""]) => AREAS.has(area))
    for (const [, area, name] of codes) expect(CODES, file).toContain(`${area}/${name}`)
    const metrics = [...text.matchAll(/`(headrace_[a-z_]+(?:\{[^}]*\})?)`/g)].map(([, named = ""]) => named)
    for (const named of metrics) expect(problemsOf(named), file).toEqual([])
  }
  expect(METRICS).not.toHaveProperty("headrace_no_such_metric")
})
