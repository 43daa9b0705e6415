import type { Command } from "commander"
import { closestWord, suggestion } from "../foundation/closest-word.ts"
import type { ErrorCode } from "../foundation/errors.ts"
import { escapeLines } from "../foundation/escape-text.ts"
import { typedProgram } from "../foundation/typed-program.ts"
import { commandNames } from "./command-names.ts"

/** Commander's names of what it refuses, as our codes. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  "commander.excessArguments": "usage/extra-argument",
  "commander.missingArgument": "usage/missing-argument",
  "commander.optionMissingArgument": "usage/missing-value",
  "commander.unknownCommand": "usage/unknown-command",
  "commander.unknownOption": "usage/unknown-flag",
}

/** Refuses what a person typed: the message without `error: `, its code, and hints, a line each. */
export function refuse(command: Command, code: ErrorCode, message: string, ...hints: string[]): never {
  command.error([`error: ${message}`, ...hints].join("\n"), { code })
}

/**
 * Gives each misuse that commander or we refuse its code, printed as errors of the work itself are: the message with the
 * code, then the hints, indented. A wrong word before an unknown flag is what is named: the flag is its consequence.
 */
export function printUsageErrors(command: Command): void {
  const print = command.error.bind(command)
  command.error = (text, options): never => {
    const code = CODES[options?.code ?? ""] ?? options?.code ?? "usage/wrong-value"
    if (code === "usage/unknown-flag") refuseWordBeforeFlags(command)
    const [message = "", ...hints] = text.split("\n")
    const more = code === "usage/unknown-flag" && hints.length === 0 ? flagOfAnother(command, message) : []
    const lines = [...hints, ...more].map((hint) => `  ${hint.trim().replace(/^\((.*)\)$/, "$1")}`)
    const ours = code.startsWith("commander.") ? "usage/wrong-value" : code
    return print(escapeLines([`${message} [${ours}]`, ...lines].join("\n")), options)
  }
}

/** Refuses words that a command does not take, the first by name. */
export function refuseStrayWords(command: Command): void {
  const { args, registeredArguments } = command
  const empty = registeredArguments.find((_, index) => args[index] === "")
  if (empty) {
    refuse(command, "usage/wrong-value", `<${empty.name()}> is empty; it is ${empty.description}`)
  }
  const stray = args[registeredArguments.length]
  if (stray === undefined || registeredArguments.at(-1)?.variadic) return
  if (commandNames(command).some((name) => name !== "help")) refuseCommand(command, stray)
  refuse(command, "usage/extra-argument", `"${stray}" is one argument too many`)
}

/** `help statu` is a question about a command that there is not. */
export function refuseUnknownHelp(program: Command, [, , word, topic]: readonly string[]): void {
  if (word !== "help" || topic === undefined || topic.startsWith("-")) return
  if (!program.commands.some((command) => command.name() === topic)) refuseCommand(program, topic)
}

/** Refuses a word where a command belongs, with the nearest. */
export function refuseCommand(program: Command, word: string): never {
  refuse(
    program,
    "usage/unknown-command",
    `unknown command "${word}"`,
    suggestion(word, commandNames(program)),
  )
}

function refuseWordBeforeFlags(command: Command): void {
  const { args, registeredArguments } = command
  const words = args.slice(0, registeredArguments.length + 1)
  if (words.some((word) => word.startsWith("-"))) return
  refuseStrayWords(command)
}

/** A flag of a command that was given without the command. */
function flagOfAnother(command: Command, message: string): string[] {
  const [, given] = /'(--[^'=]+)/.exec(message) ?? []
  const program = command.parent ?? command
  const typed = typedProgram(program.name()).join(" ")
  if (given === undefined || program.args[0] === command.name()) return []
  for (const name of commandNames(program)) {
    const options = program.commands.find((one) => one.name() === name)?.options ?? []
    const closest = closestWord(
      given,
      options.flatMap(({ long }) => long ?? []),
    )
    if (closest !== undefined)
      return [`Did you mean ${closest}? Give it after a command: ${typed} ${name} ${closest}.`]
  }
  return []
}
