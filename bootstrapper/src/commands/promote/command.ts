import { flag } from "@headrace/shared/command-line/flag"
import { addExamples } from "@headrace/shared/command-line/help"
import type { Command } from "commander"
import type { CommandRun } from "../../cli/command-run.ts"
import { addWordFlags } from "../../cli/word-flags.ts"
import type { PromoteOptions } from "./run.ts"

/** `promote --now`: ends the waiting of a rollout. */
export function addPromoteCommand(program: Command, run: CommandRun): void {
  const promote = addWordFlags(program.command("promote"), "promotes it")
    .description("Promotes what a rollout tries, without its bake times and checks.")
    .addOption(flag("--now", "yes: nothing is waited for any more").needed())
    .action(async (options: PromoteOptions) => {
      const { runPromote } = await import("./run.ts")
      run.exitCode = await runPromote(options, run.signal)
    })
  addExamples(promote, [
    `headrace-bootstrapper promote --config headrace.yaml --now \\
    --reason "the fix for incident 42"`,
  ])
}
