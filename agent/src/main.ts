#!/usr/bin/env node
import { UsageError } from "@headrace/shared/foundation/errors"
import { runProgram } from "@headrace/shared/foundation/run-program"
import { Duration } from "@headrace/shared/settings/units"
import { Command, CommanderError, InvalidArgumentError, Option } from "commander"
import { addCheckCommand } from "./commands/check.ts"
import { addLeaseCommand } from "./commands/lease.ts"
import { addListCommand } from "./commands/list.ts"
import { addPinCommands } from "./commands/pin.ts"
import { addPublishCommand } from "./commands/publish.ts"
import { addRollbackCommand } from "./commands/rollback.ts"
import type { RunOptions } from "./commands/run-agent.ts"
import { addVerifyCommand } from "./commands/verify.ts"

/** The program's commands. Each loads what it needs when it runs, so that `publish` pays for nothing else. */
function createProgram(signal: AbortSignal): Command {
  const program = new Command("headrace-agent")
    .description(
      "Projects a record onto this node's disk. Without a subcommand it runs the agent of --config.",
    )
    .addOption(new Option("--config <file>", "the agent's file").env("HEADRACE_CONFIG"))
    .addOption(new Option("--log-level <level>", "trace to fatal, or silent").env("HEADRACE_LOG_LEVEL"))
    .addOption(
      new Option("--once", "end when every projection shows the newest revision").env("HEADRACE_ONCE"),
    )
    .addOption(
      new Option("--timeout <duration>", "with --once: fail after this long, such as 5m")
        .env("HEADRACE_TIMEOUT")
        .argParser(parseDuration),
    )
    .addOption(
      new Option("--jitter <duration>", "spread of the reads after a change, instead of the file's")
        .env("HEADRACE_JITTER")
        .argParser(parseDuration),
    )
    .enablePositionalOptions()
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
  program.action(async (options: Partial<RunOptions>) => {
    if (!options.config) {
      throw new UsageError("agent/no-config", "there is nothing to run", {
        hint: "Give --config FILE, or a subcommand (see --help).",
      })
    }
    const { runAgent } = await import("./commands/run-agent.ts")
    await runAgent({ ...options, config: options.config }, signal)
  })
  addCheckCommand(program, signal)
  addPublishCommand(program, signal)
  addListCommand(program, signal)
  addVerifyCommand(program, signal)
  addRollbackCommand(program, signal)
  addPinCommands(program, signal)
  addLeaseCommand(program, signal)
  return program
}

function parseDuration(text: string): number {
  const parsed = Duration.safeParse(text)
  if (parsed.success) return parsed.data
  throw new InvalidArgumentError("Expected a duration such as 30s or 5m.")
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
