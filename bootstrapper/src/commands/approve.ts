import type { Command } from "commander"
import type { CommandRun } from "./command-run.ts"
import { flag } from "./flag.ts"
import type { ApproveOptions } from "./operate/approve-options.ts"
import { addPlaceOptions } from "./place-options.ts"

/** `approve`: lets one commit delete more than the guard would. */
export function addApproveCommand(program: Command, run: CommandRun): void {
  addPlaceOptions(program.command("approve"))
    .description("Lets a commit delete what the guard stopped it for.")
    .addOption(flag("--commit <id>", "full id of the commit").makeOptionMandatory())
    .action(async (options: ApproveOptions) => {
      const { runApprove } = await import("./operate/run-hold.ts")
      run.exitCode = await runApprove(options, run.signal)
    })
}
