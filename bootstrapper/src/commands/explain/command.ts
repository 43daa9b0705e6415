import { addExamples } from "@headrace/shared/command-line/help"
import { Argument, type Command } from "commander"
import { addFleetOptions } from "../../cli/add-fleet-options.ts"
import type { CommandRun } from "../../cli/command-run.ts"
import type { ExplainOptions } from "./run.ts"

/** `explain`: how far one thing has got, and why. */
export function addExplainCommand(program: Command, run: CommandRun): void {
  const explain = addFleetOptions(program.command("explain"), ["text", "json"])
    .description(
      "Shows where a file, commit, pull request, node or target is, why, and what to type. Exits with 1 while something keeps it from where it is meant to be.",
    )
    .addArgument(
      new Argument(
        "<what>",
        "PATH, COMMIT, #NUMBER, NODE or NAMESPACE/NAME; commit:, pr:, file:, target: or node: before it says which",
      ),
    )
    .action(async (what: string, options: ExplainOptions) => {
      const { runExplain } = await import("./run.ts")
      run.exitCode = await runExplain(what, options, run.signal)
    })
  addExamples(explain, [
    "headrace-bootstrapper explain --config headrace.yaml jobs/build.yaml",
    "headrace-bootstrapper explain --config headrace.yaml f73d509",
    "headrace-bootstrapper explain --config headrace.yaml '#512'",
    "headrace-bootstrapper explain --config headrace.yaml node-7",
    "headrace-bootstrapper explain --config headrace.yaml ci/job-config",
  ])
}
