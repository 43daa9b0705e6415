import { Flag } from "@headrace/shared/command-line/flag"
import type { Argument, Command, Option } from "commander"

const HEAD = `# Commands and flags

<!-- Generated from the programs' own flags: vitest run test/reference --update=all. Do not edit. -->

What \`--help\` prints, on one page. The command line comes before the environment, and the environment before the default.
An empty variable counts as none; for a flag without a value it is \`true\` or \`false\`. A flag that is written \`NAME...\`
takes several values. [Exit codes](exit-codes.md) are the same for every command.
`

/** Their flags are those of other programs, which docs/moving-from lists. */
const OF_OTHERS: Readonly<Record<string, string>> = {
  "git-sync": "[Moving from git-sync](../moving-from/git-sync.md) lists its flags.",
  "k8s-sidecar": "[Moving from k8s-sidecar](../moving-from/k8s-sidecar.md) lists its variables.",
}

/** docs/reference/commands.md: every command of every program, with its arguments and flags. */
export function commandsPage(programs: readonly Command[]): string {
  return [HEAD, ...programs.map(programText)].join("\n")
}

function programText(program: Command): string {
  const commands = program
    .createHelp()
    .visibleCommands(program)
    .filter((command) => command.name() !== "help")
  return [
    `## ${program.name()}\n`,
    `${plain(program.description())}\n`,
    flagTable(program),
    "",
    ...commands.map((command) => commandText(program, command)),
  ].join("\n")
}

function commandText(program: Command, command: Command): string {
  const title = [program.name(), command.name(), ...command.registeredArguments.map(argumentName)].join(" ")
  return [
    `### ${title}\n`,
    `${plain(sentence(command.description()))}\n`,
    ...command.registeredArguments.map(argumentText),
    OF_OTHERS[command.name()] ?? flagTable(command),
    "",
  ].join("\n")
}

function argumentName(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? "..." : ""}`
  return argument.required ? `<${name}>` : `[${name}]`
}

function argumentText(argument: Argument): string {
  const choices = argument.argChoices ? ` (${argument.argChoices.join(", ")})` : ""
  return `\`${argument.name()}\`: ${plain(argument.description)}${choices}.\n`
}

function flagTable(command: Command): string {
  const flags = command.options.filter((option) => option.envVar !== undefined && !option.hidden)
  if (flags.length === 0) return "It has no flags of its own."
  return ["| flag | environment | default | meaning |", "|---|---|---|---|", ...flags.map(flagRow)].join("\n")
}

function flagRow(option: Option): string {
  const choices = option.argChoices
    ? `: ${option.argChoices.map((choice) => `\`${choice}\``).join(", ")}`
    : ""
  const cells = [
    `\`${option.flags}\``,
    `\`${option.envVar}\``,
    defaultText(option),
    `${plain(option.description)}${choices}`,
  ]
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`
}

function defaultText(option: Option): string {
  if (option instanceof Flag && option.isNeeded) return "required"
  // The name of the user who runs it, which differs from machine to machine.
  if (option.long === "--by") return "the user's name"
  const { defaultValue, defaultValueDescription } = option
  if (defaultValueDescription !== undefined) return `\`${defaultValueDescription}\``
  if (defaultValue === undefined || typeof defaultValue === "boolean") return ""
  return Array.isArray(defaultValue) && defaultValue.length === 0 ? "" : `\`${defaultValue}\``
}

function sentence(text: string): string {
  const whole = text.slice(0, 1).toUpperCase() + text.slice(1)
  return whole.endsWith(".") ? whole : `${whole}.`
}

/** `<`, `*` and `_` mean something else in Markdown. */
function plain(text: string): string {
  return text.replace(/[\\*_<[\]]/g, "\\$&")
}
