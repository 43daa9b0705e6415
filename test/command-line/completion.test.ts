import { execFileSync, spawnSync } from "node:child_process"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { createAgentProgram } from "@headrace/agent/agent-program"
import { createBootstrapperProgram } from "@headrace/bootstrapper/bootstrapper-program"
import { createPluginProgram } from "@headrace/plugin/plugin-program"
import { bashScript } from "@headrace/shared/command-line/completion/bash-script"
import { completedCommands } from "@headrace/shared/command-line/completion/completed-command"
import { fishScript } from "@headrace/shared/command-line/completion/fish-script"
import { zshScript } from "@headrace/shared/command-line/completion/zsh-script"
import { completeProgram } from "@headrace/shared/command-line/program"
import { describe, expect, it } from "vitest"
import { whySkipped } from "../harness/why-skipped.ts"
import { withFolder } from "../harness/with-folder.ts"

const { signal } = new AbortController()
const PROGRAMS = {
  "headrace-bootstrapper": completedCommands(
    completeProgram(createBootstrapperProgram({ signal, exitCode: 0 })),
  ),
  "headrace-agent": completedCommands(completeProgram(createAgentProgram(signal))),
  "headrace-plugin": completedCommands(completeProgram(createPluginProgram(signal))),
}
type ProgramName = keyof typeof PROGRAMS

/** The words before the cursor, the last one unfinished, and what must be among the suggestions; or what must not. */
const CASES: [ProgramName, string[], { has?: string[]; lacks?: string[] }][] = [
  ["headrace-bootstrapper", ["st"], { has: ["status"], lacks: ["check", "config-bootstrapper"] }],
  ["headrace-bootstrapper", ["status", "--c"], { has: ["--config", "--cluster"], lacks: ["--rules"] }],
  ["headrace-bootstrapper", ["check", "-o", ""], { has: ["github", "json", "text"], lacks: ["--rules"] }],
  ["headrace-bootstrapper", ["check", "--rules", "plug"], { has: ["plugins.yaml"] }],
  ["headrace-bootstrapper", ["check", "--source-path", "fi"], { has: ["files"], lacks: ["first.yaml"] }],
  ["headrace-bootstrapper", ["schema", ""], { has: ["operator", "agent", "rules"] }],
  ["headrace-agent", ["pub"], { has: ["publish"] }],
  ["headrace-agent", ["list", "fi"], { has: ["files"] }],
  ["headrace-agent", ["--on"], { has: ["--once"] }],
  ["headrace-plugin", ["--ops"], { has: ["--ops-listen"] }],
]

function inSample<T>(use: (folder: string) => T): Promise<T> {
  return withFolder(async (folder) => {
    await mkdir(join(folder, "files"))
    await writeFile(join(folder, "plugins.yaml"), "")
    await writeFile(join(folder, "first.yaml"), "")
    return use(folder)
  })
}

describe("completion in bash", () => {
  it.each(CASES)("of %s %j", async (program, words, { has = [], lacks = [] }) => {
    const script = `${bashScript(program, PROGRAMS[program])}
COMP_WORDS=(${[program, ...words].map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length}
_${program.replaceAll("-", "_")}; printf '%s\\n' "\${COMPREPLY[@]}"`
    const found = await inSample((cwd) =>
      execFileSync("bash", ["--norc", "-c", script], { cwd, encoding: "utf8" }).split("\n"),
    )
    expect(found).toEqual(expect.arrayContaining(has))
    for (const word of lacks) expect(found).not.toContain(word)
  })
})

describe.skipIf(!isInstalled("fish"))(
  `completion in fish${whySkipped(isInstalled("fish") ? undefined : "fish is not installed")}`,
  () => {
    it.each(CASES)("of %s %j", async (program, words, { has = [], lacks = [] }) => {
      const script = `${fishScript(program, PROGRAMS[program])}
complete -C ${quoted([program, ...words].join(" "))}`
      const found = await inSample((cwd) =>
        execFileSync("fish", ["--no-config", "-c", script], { cwd, encoding: "utf8" })
          .split("\n")
          .map((line) => line.split("\t")[0]?.replace(/\/$/, "")),
      )
      expect(found).toEqual(expect.arrayContaining(has))
      for (const word of lacks) expect(found).not.toContain(word)
    })
  },
)

describe.skipIf(!isInstalled("zsh"))(
  `completion in zsh${whySkipped(isInstalled("zsh") ? undefined : "zsh is not installed")}`,
  () => {
    // Its own suggestions need a terminal and compinit: what is run here is the script, with zsh's helpers recorded.
    it.each(CASES)("of %s %j", async (program, words, { has = [], lacks = [] }) => {
      if (has.some((word) => ["files", "plugins.yaml"].includes(word))) return
      const script = `_describe() { print -l -- \${(P)4%%:*} }; _arguments() { print -l -- "$@" }; _files() { : }; compdef() { : }
${zshScript(program, PROGRAMS[program])}
words=(${[program, ...words].map(quoted).join(" ")}); CURRENT=${words.length + 1}
_${program.replaceAll("-", "_")}`
      const found = await inSample((cwd) =>
        execFileSync("zsh", ["-f", "-c", script], { cwd, encoding: "utf8" }),
      )
      for (const word of has) expect(found).toContain(word)
      // zsh chooses by what is typed so far, which the recorded helpers do not: they show every flag of the command.
      const otherFlags = words.at(-1)?.startsWith("-") ? lacks : []
      for (const flag of otherFlags) expect(found).not.toContain(flag)
    })
  },
)

it.each(Object.keys(PROGRAMS) as ProgramName[])(
  "the bash script of %s parses, and names every flag",
  (name) => {
    const script = bashScript(name, PROGRAMS[name])
    expect(spawnSync("bash", ["-n"], { input: script, encoding: "utf8" })).toMatchObject({
      status: 0,
      stderr: "",
    })
    for (const { flags } of PROGRAMS[name]) for (const { long } of flags) expect(script).toContain(long)
  },
)

function isInstalled(shell: string): boolean {
  return spawnSync(shell, ["-c", "true"]).status === 0
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
