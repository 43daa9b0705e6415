import { flag } from "@headrace/shared/command-line/flag"
import { addExamples } from "@headrace/shared/command-line/help"
import { type Command, InvalidArgumentError } from "commander"
import type { CommandRun } from "../../cli/command-run.ts"
import { addHoldFlags } from "../../cli/hold-flags.ts"
import type { RewindOptions } from "./run.ts"

/** The largest that a stamp may carry (shared/src/reconcile/target/ownership.ts). */
const LARGEST_EPOCH = 1e15

function epochNumber(text: string): number {
  const epoch = /^[1-9][0-9]*$/.test(text) ? Number(text) : 0
  if (epoch < 1 || epoch > LARGEST_EPOCH)
    throw new InvalidArgumentError("a whole number is needed, as status shows it")
  return epoch
}

/** `rewind`: takes clusters to any commit, back too, and holds them there. */
export function addRewindCommand(program: Command, run: CommandRun): void {
  const rewind = addHoldFlags(program.command("rewind"))
    .description("Takes clusters to a commit that need not come after what they show, and holds them there.")
    .addOption(flag("--to <commit>", "the commit, by 4 digits of its id or more").needed())
    .addOption(
      flag(
        "--rules-commit <commit>",
        "the commit, by 4 digits of its id or more that rules from another source are held at; without it the tip of their branch",
      ),
    )
    .addOption(
      flag(
        "--epoch <number>",
        "the smallest epoch to begin, where nodes show one that the record does not know; status names it",
      ).argParser(epochNumber),
    )
    .action(async (options: RewindOptions) => {
      const { runRewind } = await import("./run.ts")
      run.exitCode = await runRewind(options, run.signal)
    })
  addExamples(rewind, [
    `headrace-bootstrapper rewind --config headrace.yaml --to 3f9a1c0 \\
    --reason "incident 42"`,
  ])
}
