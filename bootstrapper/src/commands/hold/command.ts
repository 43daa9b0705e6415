import type { Command } from "commander"
import type { CommandRun } from "../../cli/command-run.ts"
import { flag } from "../../cli/flag.ts"
import { addPlaceOptions } from "../../cli/place-options.ts"
import { userName } from "../../cli/user-name.ts"
import type { HoldOptions } from "../operate/hold-options.ts"

/** `hold`: keeps clusters where they are, whatever is merged. */
export function addHoldCommand(program: Command, run: CommandRun): void {
  addHoldOptions(program.command("hold"))
    .description("Keeps clusters at a commit, whatever is merged, until release.")
    .addOption(flag("--commit <id>", "full id of the commit; else the one that each shows"))
    .action(async (options: HoldOptions) => {
      const { runHold } = await import("./run.ts")
      run.exitCode = await runHold(options, run.signal)
    })
}

/** The flags that a hold is made of, for `hold` and `rewind`. */
export function addHoldOptions(command: Command): Command {
  return addPlaceOptions(command)
    .addOption(flag("--by <name>", "who holds it").default(userName()))
    .addOption(flag("--reason <text>", "why, for status").makeOptionMandatory())
    .addOption(flag("--until <time>", "ISO time at which it ends; else at release"))
}
