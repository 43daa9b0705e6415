import type { Command } from "commander"

/** The names of a program's commands that a person can type. */
export function commandNames(program: Command): string[] {
  return program
    .createHelp()
    .visibleCommands(program)
    .map((command) => command.name())
}
