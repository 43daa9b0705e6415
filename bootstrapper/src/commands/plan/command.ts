import { flag } from "@headrace/shared/command-line/flag"
import { addExamples } from "@headrace/shared/command-line/help"
import type { Command } from "commander"
import type { CommandRun } from "../../cli/command-run.ts"
import type { PlanOptions } from "./run.ts"

/** `plan`: what rules make of a source path, without a cluster. */
export function addPlanCommand(program: Command, run: CommandRun): void {
  const plan = program
    .command("plan")
    .description("Shows what each ConfigMap would hold; needs no cluster.")
    .addOption(
      flag(
        "--source-path <dir...>",
        "folder with the files; of several, the first that has a path wins",
      ).needed(),
    )
    .addOption(flag("--rules <file>", "the rules: a plugins.yaml").needed())
    .addOption(flag("--repo <org/name>", "the repository, for access lists"))
    .addOption(
      flag(
        "--changes <file>",
        "JSON array of {filename, status, previous_filename}: show only what these touch",
      ),
    )
    .addOption(flag("--default-cluster <name>", "where a rule without clusters goes").default("default"))
    .addOption(flag("--default-namespace <name>", "the namespace that an empty one means").default("default"))
    .addOption(flag("--strict", "several files for one key are an error").default(false))
    .addOption(flag("-o, --output <format>", "how to print it").choices(["json", "text"]).default("text"))
    .action(async (options: PlanOptions) => {
      const { runPlan } = await import("./run.ts")
      run.exitCode = await runPlan(options, run.signal)
    })
  addExamples(plan, [
    "headrace-bootstrapper plan --source-path . --rules plugins.yaml",
    "headrace-bootstrapper plan --source-path . --rules plugins.yaml -o json",
  ])
}
