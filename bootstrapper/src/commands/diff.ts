import type { Command } from "commander"
import type { CommandRun } from "./command-run.ts"
import { flag } from "./flag.ts"

export interface DiffOptions {
  sourcePath: string[]
  rules: string
  config: string
  repo?: string
  cluster?: string[]
  keepForeign: boolean
  output: "text" | "json"
  logLevel: string
}

/** `diff`: what the ConfigMaps in the clusters hold, and what the rules want. Reads only. */
export function addDiffCommand(program: Command, run: CommandRun): void {
  program
    .command("diff")
    .description("Compares the ConfigMaps in the clusters, whoever wrote them, with what the rules want.")
    .addOption(
      flag(
        "--source-path <dir...>",
        "folder with the files; of several, the first that has a path wins",
      ).makeOptionMandatory(),
    )
    .addOption(flag("--rules <file>", "the rules: a plugins.yaml").makeOptionMandatory())
    .addOption(
      flag("--config <file>", "the operator's file, which says where the clusters are").makeOptionMandatory(),
    )
    .addOption(flag("--repo <org/name>", "the repository, for access lists"))
    .addOption(flag("--cluster <name...>", "clusters of the settings; all when not given"))
    .addOption(flag("--keep-foreign", "keys that no rule names stay (foreignKeys: keep)").default(false))
    .addOption(flag("-o, --output <format>", "how to print it").choices(["text", "json"]).default("text"))
    .addOption(flag("--log-level <level>", "trace to fatal, or silent").default("warn"))
    .action(async (options: DiffOptions) => {
      const { runDiff } = await import("./diff/run-diff.ts")
      run.exitCode = await runDiff(options, run.signal)
    })
}
