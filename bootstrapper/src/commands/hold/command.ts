import { flag } from "@headrace/shared/command-line/flag"
import { addExamples } from "@headrace/shared/command-line/help"
import type { Command } from "commander"
import type { CommandRun } from "../../cli/command-run.ts"
import { addHoldFlags } from "../../cli/hold-flags.ts"
import type { HoldOptions } from "./run.ts"

/** `hold`: keeps clusters where they are, whatever is merged. */
export function addHoldCommand(program: Command, run: CommandRun): void {
  const hold = addHoldFlags(program.command("hold"))
    .description("Keeps clusters at a commit, whatever is merged, until release.")
    .addOption(
      flag("--commit <id>", "the commit, by 4 digits of its id or more; otherwise the one that each shows"),
    )
    .action(async (options: HoldOptions) => {
      const { runHold } = await import("./run.ts")
      run.exitCode = await runHold(options, run.signal)
    })
  addExamples(hold, [
    `headrace-bootstrapper hold --config headrace.yaml --reason "incident 42"`,
    "headrace-bootstrapper hold --config headrace.yaml --reason freeze --until 2h",
  ])
}
