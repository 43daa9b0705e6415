import type { Command } from "commander"
import { addClusterSourceOptions } from "../../cli/cluster-source-options.ts"
import type { CommandRun } from "../../cli/command-run.ts"
import { flag } from "../../cli/flag.ts"
import type { ApproveOptions } from "./run.ts"

/** `approve`: lets one commit delete more than the guard would. */
export function addApproveCommand(program: Command, run: CommandRun): void {
  addClusterSourceOptions(program.command("approve"))
    .description("Lets a commit delete what the guard stopped it for.")
    .addOption(flag("--commit <id>", "full id of the commit").makeOptionMandatory())
    .action(async (options: ApproveOptions) => {
      const { runApprove } = await import("./run.ts")
      run.exitCode = await runApprove(options, run.signal)
    })
}
