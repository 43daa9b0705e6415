#!/usr/bin/env node
import { suggestion } from "@headrace/shared/foundation/closest-word"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import { runProgram } from "@headrace/shared/foundation/run-program"
import { Command, CommanderError, Help, type Option } from "commander"
import { doubleDashed } from "./apply-prow/prow-flags.ts"
import type { CommandRun } from "./cli/command-run.ts"
import { addAdoptCommand } from "./commands/adopt/command.ts"
import { addApplyCommand, addProwCommand } from "./commands/apply/command.ts"
import { addApproveCommand } from "./commands/approve/command.ts"
import { addCheckCommand } from "./commands/check/command.ts"
import { addDetachCommand } from "./commands/detach/command.ts"
import { addDiffCommand } from "./commands/diff/command.ts"
import { addHoldCommand } from "./commands/hold/command.ts"
import { addPlanCommand } from "./commands/plan/command.ts"
import { addReleaseCommand } from "./commands/release/command.ts"
import { addRewindCommand } from "./commands/rewind/command.ts"
import { addSchemaCommand } from "./commands/schema/command.ts"
import { addStatusCommand } from "./commands/status/command.ts"

/** One line per command. Each describes its flags only, and loads what it does when it runs. */
const COMMANDS = [
  addPlanCommand,
  addCheckCommand,
  addDiffCommand,
  addApplyCommand,
  addProwCommand,
  addStatusCommand,
  addHoldCommand,
  addReleaseCommand,
  addRewindCommand,
  addApproveCommand,
  addAdoptCommand,
  addDetachCommand,
  addSchemaCommand,
]

/** What is no command would else be taken for a stray argument of Prow's way of calling, which has no command. */
function refuseUnknownCommand(program: Command, word: string): void {
  const known = ["help", ...program.commands.map((command) => command.name())]
  if (word === "" || word.startsWith("-") || known.includes(word)) return
  program.error(`error: unknown command "${word}" (${suggestion(word, known)})`)
}

/** As commander has it, and that an option must be given, which commander leaves out. */
function describeOption(option: Option): string {
  const description = new Help().optionDescription(option)
  return option.mandatory ? `${description} (required)` : description
}

/** Unlike a server, which runs until it is stopped, a command that is stopped has not done its work. */
function stoppedEarly(cause: unknown): HeadraceError {
  return new HeadraceError("program/stopped", "the command did not come to its end", { cause })
}

async function main(signal: AbortSignal): Promise<number> {
  const run: CommandRun = { signal, exitCode: 0 }
  const program = new Command("headrace-bootstrapper")
    .description("Shows, checks and applies what rules make of a repository.")
    .configureHelp({ optionDescription: describeOption })
    .exitOverride()
  for (const addCommand of COMMANDS) addCommand(program, run)
  try {
    refuseUnknownCommand(program, process.argv[2] ?? "")
    await program.parseAsync(doubleDashed(process.argv))
    return run.exitCode
  } catch (error) {
    // commander has printed its message already: help ends with 0, a misuse with 2.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (signal.aborted && error === signal.reason) throw stoppedEarly(error)
    throw error
  }
}

await runProgram(main)
