import type { Command } from "commander"
import type { CommandRun } from "./command-run.ts"
import { flag } from "./flag.ts"
import { addPlaceOptions, type PlaceOptions } from "./place-options.ts"

export interface ApplyOptions extends PlaceOptions {
  direct: boolean
  incremental: boolean
  prune: boolean
  redisUrlFile?: string
  timeLimit: string
}

/** `apply`: brings clusters to the goal of their sources, every target looked at. */
export function addApplyCommand(program: Command, run: CommandRun): void {
  addPlaceOptions(program.command("apply"))
    .description("Rebuilds every ConfigMap and the store from the branch, through the lanes or directly.")
    .addOption(flag("--direct", "do it here, without Redis: for a cluster built from nothing").default(false))
    .addOption(flag("--incremental", "look only at what may have changed").default(false))
    .addOption(
      flag("--prune", "remove ConfigMaps of ours that no rule names; only with --direct").default(false),
    )
    .addOption(flag("--redis-url-file <file>", "file with the Redis URL; else the settings, else REDIS_URL"))
    .addOption(flag("--time-limit <duration>", "how long to wait for the lanes").default("10m"))
    .action(async (options: ApplyOptions) => {
      const { runApply } = await import("./apply/run-apply.ts")
      run.exitCode = await runApply(options, run.signal)
    })
}
