import { createAgentProgram } from "@headrace/agent/agent-program"
import { createBootstrapperProgram } from "@headrace/bootstrapper/bootstrapper-program"
import { createDemoProgram } from "@headrace/config/local/demo-program"
import { createUpProgram } from "@headrace/config/local/up-program"
import { createPluginProgram } from "@headrace/plugin/plugin-program"
import { Flag } from "@headrace/shared/command-line/flag"
import { HELP_COLUMNS } from "@headrace/shared/command-line/help"
import { completeProgram } from "@headrace/shared/command-line/program"
import type { Command } from "commander"
import { describe, expect, it } from "vitest"

const { signal } = new AbortController()
/** Their flags are those of other programs, which they list themselves. */
const NOT_OURS = ["git-sync", "k8s-sidecar"]
/** Commander's own, which no environment can give. */
const ALWAYS_THERE = ["--help", "--version"]

const PROGRAMS = [
  createBootstrapperProgram({ signal, exitCode: 0 }),
  createAgentProgram(signal),
  createPluginProgram(signal),
  createUpProgram(signal),
  createDemoProgram(signal),
].map(completeProgram)

const COMMANDS = PROGRAMS.flatMap((program) => [
  program,
  ...program.createHelp().visibleCommands(program),
]).filter((command) => ![...NOT_OURS, "help"].includes(command.name()))

describe.each(COMMANDS.map((command) => [pathOf(command), command] as const))(
  "the help of %s",
  (_, command) => {
    it("fits 80 columns", () => {
      const wide = helpOf(command)
        .split("\n")
        .filter((line) => line.length > HELP_COLUMNS)
      expect(wide).toEqual([])
    })

    it("has a description, and one of each flag and argument", () => {
      expect(command.description()).not.toBe("")
      for (const { flags, description } of command.options) expect(description, flags).not.toBe("")
      for (const argument of command.registeredArguments)
        expect(argument.description, argument.name()).not.toBe("")
    })

    it("marks what must be given", () => {
      const text = helpOf(command).replace(/\s+/g, " ")
      for (const option of command.options) {
        if (!(option instanceof Flag)) continue
        const isMarked = text.includes(`${option.flags} ${option.description} (required`)
        expect(isMarked, option.flags).toBe(option.isNeeded)
      }
    })

    it("lists only flags that the environment can give too", () => {
      const without = command.options.filter(
        ({ envVar, long }) => !envVar && !ALWAYS_THERE.includes(long ?? ""),
      )
      expect(without.map(({ flags }) => flags)).toEqual([])
    })

    it("ends with examples that it understands", () => {
      const examples = examplesOf(command)
      expect(command.commands.length > 0 || examples.length > 0).toBe(true)
      for (const words of examples) expectUnderstood(command, words)
    })
  },
)

it("lists every command of the bootstrapper in a group", () => {
  const [bootstrapper] = PROGRAMS
  expect(bootstrapper && helpOf(bootstrapper)).not.toContain("\nCommands:\n")
})

/** The example lines, as words, without comments; a line that ends in a backslash continues. */
function examplesOf(command: Command): string[][] {
  const text = helpOf(command).split("\nExamples:\n")[1]?.split("\n\n")[0] ?? ""
  return text
    .replaceAll("\\\n", " ")
    .split("\n")
    .map((line) => line.replace(/^ {2}npm run (?:-s )?(\w+)(?: --)?/, "  npm run $1 --"))
    .filter((line) => /^ {2}(?:headrace-|npm )/.test(line))
    .map(
      (line) =>
        line
          .replace(/ +# .*/, "")
          .trim()
          .match(/"[^"]*"|\S+/g) ?? [],
    )
}

function expectUnderstood(command: Command, words: readonly string[]): void {
  const program = command.parent ?? command
  const name = program.name().split(" ")
  const rest = words.slice(name.length)
  expect(words.slice(0, name.length)).toEqual(name)
  const named = program.commands.find((one) => one.name() === rest[0]) ?? program
  if (command !== program) expect(named).toBe(command)
  const end = rest.findIndex((word) => ["--", ">", "|"].includes(word))
  const flags = (end < 0 ? rest : rest.slice(0, end)).filter((word) => word.startsWith("-"))
  for (const word of flags) {
    const known = named.options.some(({ short, long }) => [short, long].includes(word.split("=")[0]))
    expect(known, `${words.join(" ")}: ${word}`).toBe(true)
  }
  for (const option of named.options) {
    if (option instanceof Flag && option.isNeeded) expect(flags, words.join(" ")).toContain(option.long)
  }
}

function helpOf(command: Command): string {
  let text = ""
  command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => HELP_COLUMNS })
  command.outputHelp()
  return text
}

function pathOf(command: Command): string {
  return command.parent ? `${command.parent.name()} ${command.name()}` : command.name()
}
