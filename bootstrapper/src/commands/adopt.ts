import type { Command } from "commander"
import type { CommandRun } from "./command-run.ts"
import { flag } from "./flag.ts"
import { addPlaceOptions, type PlaceOptions } from "./place-options.ts"

export interface AdoptOptions extends PlaceOptions {
  target?: string[]
}

/** `adopt`: takes existing ConfigMaps over. */
export function addAdoptCommand(program: Command, run: CommandRun): void {
  addPlaceOptions(program.command("adopt"))
    .description(
      "Takes over ConfigMaps that somebody else made and the rules name; the next apply writes them.",
    )
    .addOption(flag("--target <namespace/name...>", "which; else all that the record lists as not ours"))
    .action(async (options: AdoptOptions) => {
      const { runAdopt } = await import("./operate/run-adopt.ts")
      run.exitCode = await runAdopt(options, run.signal)
    })
}
