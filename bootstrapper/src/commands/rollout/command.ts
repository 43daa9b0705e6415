import { addExamples } from "@headrace/shared/command-line/help"
import { Argument, type Command } from "commander"
import type { CommandRun } from "../../cli/command-run.ts"
import { addWordFlags } from "../../cli/word-flags.ts"
import type { SkipOptions } from "./run.ts"

/** `rollout skip`: has a rollout continue without clusters that keep it up. */
export function addRolloutCommand(program: Command, run: CommandRun): void {
  const rollout = addWordFlags(program.command("rollout"), "says so")
    .description("Has a rollout continue without the clusters of --cluster.")
    .addArgument(new Argument("<word>", "what to do").choices(["skip"]))
    .action(async (_word: string, options: SkipOptions) => {
      const { runSkip } = await import("./run.ts")
      run.exitCode = await runSkip(options, run.signal)
    })
  addExamples(rollout, [
    `headrace-bootstrapper rollout skip --config headrace.yaml --cluster build01 \\
    --reason "it is being rebuilt"`,
  ])
}
