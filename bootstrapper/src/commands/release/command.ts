import type { Command } from "commander"
import { addClusterSourceOptions, type ClusterSourceOptions } from "../../cli/cluster-source-options.ts"
import type { CommandRun } from "../../cli/command-run.ts"

/** `release`: lets clusters follow their branches again. */
export function addReleaseCommand(program: Command, run: CommandRun): void {
  addClusterSourceOptions(program.command("release"))
    .description("Ends a hold: clusters follow their branches again.")
    .action(async (options: ClusterSourceOptions) => {
      const { runRelease } = await import("./run.ts")
      run.exitCode = await runRelease(options, run.signal)
    })
}
