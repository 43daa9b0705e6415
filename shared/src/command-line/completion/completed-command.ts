import type { Command, Option } from "commander"

/** What follows a flag on the command line. */
export type FlagValue = "none" | "file" | "folder" | "text" | readonly string[]

/** A flag as a shell completes it. */
export interface CompletedFlag {
  /** `-o`; undefined where there is no short form. */
  short: string | undefined
  /** `--output` */
  long: string
  description: string
  value: FlagValue
}

/** A command as a shell completes it. */
export interface CompletedCommand {
  name: string
  description: string
  flags: readonly CompletedFlag[]
  /** What its arguments can be: paths, some words, or nothing. */
  words: "file" | readonly string[]
}

/** The commands that a person can type after the program's name, the program itself first. */
export function completedCommands(program: Command): [CompletedCommand, ...CompletedCommand[]] {
  const commands = program.createHelp().visibleCommands(program)
  return [completedCommand(program), ...commands.map(completedCommand)]
}

function completedCommand(command: Command): CompletedCommand {
  const options = command.createHelp().visibleOptions(command)
  return {
    name: command.name(),
    description: firstSentence(command.description()),
    flags: options.flatMap((option) => (option.long ? [completedFlag(option, option.long)] : [])),
    words: wordsOf(command),
  }
}

function completedFlag(option: Option, long: string): CompletedFlag {
  return { short: option.short, long, description: option.description, value: flagValue(option) }
}

function flagValue({ argChoices, flags, required, optional }: Option): FlagValue {
  if (argChoices) return argChoices
  if (!required && !optional) return "none"
  if (/<(file|path)\b/.test(flags)) return "file"
  return /<(dir|folder)\b/.test(flags) ? "folder" : "text"
}

function wordsOf({ registeredArguments }: Command): CompletedCommand["words"] {
  const [first] = registeredArguments
  if (first === undefined) return []
  return first.argChoices ?? "file"
}

function firstSentence(text: string): string {
  return /^.*?[.;:](?=\s|$)/.exec(text)?.[0].slice(0, -1) ?? text
}
