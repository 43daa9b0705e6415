import type { Command } from "commander"
import type { CommandRun } from "./command-run.ts"
import { flag } from "./flag.ts"
import { addPlaceOptions, type PlaceOptions } from "./place-options.ts"

export interface StatusOptions extends PlaceOptions {
  fetch: boolean
}

/** `status`: what each cluster shows of each source. */
export function addStatusCommand(program: Command, run: CommandRun): void {
  addPlaceOptions(program.command("status"))
    .description(
      "Shows what every cluster shows, how far behind the branch it is, holds, failures and sizes.",
    )
    .addOption(flag("--no-fetch", "do not ask git how far behind the branch that is"))
    .action(async (options: StatusOptions) => {
      const { runStatus } = await import("./status/run-status.ts")
      run.exitCode = await runStatus(options, run.signal)
    })
}
