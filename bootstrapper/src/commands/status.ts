import { UsageError } from "@headrace/shared/foundation/errors"
import type { Command } from "commander"
import type { CommandRun } from "./command-run.ts"
import { flag } from "./flag.ts"
import { addPlaceOptions, type PlaceOptions } from "./place-options.ts"

export interface StatusOptions extends PlaceOptions {
  fetch: boolean
  commit?: string
  wait: boolean
  timeLimit: string
  redisUrlFile?: string
}

/** `status`: what each cluster shows of each source. */
export function addStatusCommand(program: Command, run: CommandRun): void {
  addPlaceOptions(program.command("status"))
    .description(
      "Shows what every cluster shows, how far behind the branch it is, holds, failures and sizes.",
    )
    .addOption(flag("--no-fetch", "do not ask git how far behind the branch that is"))
    .addOption(flag("--commit <id>", "ask whether this commit (its full id) is live on every node"))
    .addOption(flag("--wait", "with --commit: wait until it is").default(false))
    .addOption(flag("--time-limit <duration>", "with --wait: for how long").default("10m"))
    .addOption(flag("--redis-url-file <file>", "file with the Redis URL; else the settings, else REDIS_URL"))
    .action(async (options: StatusOptions) => {
      const { commit } = options
      const { runCommitStatus, runStatus } = await import("./status/run-status.ts")
      if (commit === undefined && options.wait) {
        throw new UsageError("status/wait", "--wait does not say for what", { hint: "Add --commit ID." })
      }
      run.exitCode = await (commit === undefined
        ? runStatus(options, run.signal)
        : runCommitStatus({ ...options, commit }, run.signal))
    })
}
