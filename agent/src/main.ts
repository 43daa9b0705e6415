#!/usr/bin/env node
import { runProgram } from "@headrace/shared/foundation/run-program"
import { Command, CommanderError } from "commander"
import { addCheckCommand } from "./commands/check.ts"
import { addGitSyncCommand } from "./commands/git-sync.ts"
import { addLeaseCommand } from "./commands/lease.ts"
import { addListCommand } from "./commands/list.ts"
import { addPinCommands } from "./commands/pin.ts"
import { addPublishCommand } from "./commands/publish.ts"
import { addRollbackCommand } from "./commands/rollback.ts"
import { addRunAction } from "./commands/run.ts"
import { addVerifyCommand } from "./commands/verify.ts"

/** The program's commands. Each loads what it needs when it runs, so that `publish` pays for nothing else. */
function createProgram(signal: AbortSignal): Command {
  const program = new Command("headrace-agent")
    .description(
      "Projects a record onto this node's disk. Without a subcommand it runs the agent of --config.",
    )
    .enablePositionalOptions()
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
  addRunAction(program, signal)
  addCheckCommand(program, signal)
  addPublishCommand(program, signal)
  addListCommand(program, signal)
  addVerifyCommand(program, signal)
  addRollbackCommand(program, signal)
  addPinCommands(program, signal)
  addLeaseCommand(program, signal)
  addGitSyncCommand(program, signal)
  return program
}

async function main(signal: AbortSignal): Promise<number> {
  try {
    await createProgram(signal).parseAsync()
    // Set by a command that ends as its child did.
    return Number(process.exitCode ?? 0)
  } catch (error) {
    // commander has printed its message already: help ends with 0, a misuse with 2.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    throw error
  }
}

await runProgram(main)
