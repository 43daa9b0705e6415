import { addExamples } from "@headrace/shared/command-line/help"
import type { Command } from "commander"
import type { ChangeRecordsOptions } from "../../cli/change-records.ts"
import { addClusterSourceOptions } from "../../cli/cluster-source-options.ts"
import type { CommandRun } from "../../cli/command-run.ts"
import { addEffectFlags } from "../../cli/effect-flags.ts"

/** `release`: lets clusters follow their branches again. */
export function addReleaseCommand(program: Command, run: CommandRun): void {
  const release = addEffectFlags(addClusterSourceOptions(program.command("release")))
    .description("Ends a hold: clusters follow their branches again.")
    .action(async (options: ChangeRecordsOptions) => {
      const { runRelease } = await import("./run.ts")
      run.exitCode = await runRelease(options, run.signal)
    })
  addExamples(release, [
    "headrace-bootstrapper release --config headrace.yaml",
    "headrace-bootstrapper release --config headrace.yaml --cluster build01",
  ])
}
