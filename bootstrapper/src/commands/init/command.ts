import { flag } from "@headrace/shared/command-line/flag"
import { addExamples } from "@headrace/shared/command-line/help"
import type { Command } from "commander"
import type { CommandRun } from "../../cli/command-run.ts"
import type { InitOptions } from "./run.ts"

/** `init`: proposes rules for a repository that has none. */
export function addInitCommand(program: Command, run: CommandRun): void {
  const init = program
    .command("init")
    .description("Proposes rules for a repository that has none, by its folders and sizes, and checks them.")
    .addOption(flag("--source-path <dir>", "the repository").needed())
    .addOption(
      flag("--rules <path>", "file that is written, by its path in the repository").default("plugins.yaml"),
    )
    .addOption(flag("--dry-run", "print the rules, and write nothing").default(false))
    .addOption(flag("--default-cluster <name>", "cluster that the rules name").default("default"))
    .addOption(flag("--default-namespace <name>", "namespace that the rules name").default("default"))
    .action(async (options: InitOptions) => {
      const { runInit } = await import("./run.ts")
      run.exitCode = await runInit(options, run.signal)
    })
  addExamples(init, [
    "headrace-bootstrapper init --source-path ../my-config",
    "headrace-bootstrapper init --source-path ../my-config --dry-run",
  ])
}
