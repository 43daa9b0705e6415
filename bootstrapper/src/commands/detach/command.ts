import type { Command } from "commander"
import type { CommandRun } from "../../cli/command-run.ts"
import { addPlaceOptions, type PlaceOptions } from "../../cli/place-options.ts"

/** `detach`: gives ConfigMaps back to Prow. */
export function addDetachCommand(program: Command, run: CommandRun): void {
  addPlaceOptions(program.command("detach"))
    .description(
      "Takes Headrace's marks off the ConfigMaps of a source and removes its record, so that Prow goes on where it stands. Stop the plugin first, or take the source out of its settings.",
    )
    .action(async (options: PlaceOptions) => {
      const { runDetach } = await import("./run.ts")
      run.exitCode = await runDetach(options, run.signal)
    })
}
