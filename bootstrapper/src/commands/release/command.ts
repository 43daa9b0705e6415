import type { Command } from "commander"
import type { CommandRun } from "../../cli/command-run.ts"
import { addPlaceOptions, type PlaceOptions } from "../../cli/place-options.ts"

/** `release`: lets clusters follow their branches again. */
export function addReleaseCommand(program: Command, run: CommandRun): void {
  addPlaceOptions(program.command("release"))
    .description("Ends a hold: clusters follow their branches again.")
    .action(async (options: PlaceOptions) => {
      const { runRelease } = await import("./run.ts")
      run.exitCode = await runRelease(options, run.signal)
    })
}
