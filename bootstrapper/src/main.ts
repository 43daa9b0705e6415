#!/usr/bin/env node
import { commandNames } from "@headrace/shared/command-line/command-names"
import { runCommandLine } from "@headrace/shared/command-line/program"
import { refuseCommand } from "@headrace/shared/command-line/usage-error"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import { runProgram } from "@headrace/shared/foundation/run-program"
import { typedProgram } from "@headrace/shared/foundation/typed-program"
import { remediesWith } from "@headrace/shared/status/remedies"
import type { Command } from "commander"
import { doubleDashed } from "./apply-prow/prow-flags.ts"
import { createBootstrapperProgram } from "./bootstrapper-program.ts"
import type { CommandRun } from "./cli/command-run.ts"
import { bootstrapperErrors } from "./error-codes.ts"

/** A word that is no command would be taken for a stray argument of Prow's way of calling, which has no command. */
function refuseUnknownCommand(program: Command, word: string): void {
  if (word === "" || word.startsWith("-") || commandNames(program).includes(word)) return
  const typed = typedProgram(program.name()).join(" ")
  program.showHelpAfterError(`  Run "${typed} --help" to see its commands.`)
  refuseCommand(program, word)
}

/** Unlike a server, which runs until it is stopped, a command that is stopped has not done its work. */
function stoppedEarly(cause: unknown): HeadraceError {
  return new HeadraceError("program/stopped", "the command did not come to its end", { cause })
}

async function main(signal: AbortSignal): Promise<number> {
  const run: CommandRun = { signal, exitCode: 0 }
  const program = createBootstrapperProgram(run)
  try {
    const misuse = await runCommandLine(program, doubleDashed(process.argv), () =>
      refuseUnknownCommand(program, process.argv[2] ?? ""),
    )
    return misuse ?? run.exitCode
  } catch (error) {
    process.exitCode = run.failureCode ?? 1
    if (signal.aborted && error === signal.reason) throw stoppedEarly(error)
    throw error
  }
}

await runProgram(main, remediesWith(bootstrapperErrors))
