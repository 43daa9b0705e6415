import { flag } from "@headrace/shared/command-line/flag"
import { addExamples } from "@headrace/shared/command-line/help"
import { UsageError } from "@headrace/shared/foundation/errors"
import type { Command } from "commander"
import { addClusterSourceOptions } from "../../cli/cluster-source-options.ts"
import type { CommandRun } from "../../cli/command-run.ts"
import type { DiffOptions, FolderDiffOptions } from "./run.ts"

/** `diff`: what the ConfigMaps in the clusters hold, and what the rules want. Reads only. */
export function addDiffCommand(program: Command, run: CommandRun): void {
  const diff = addClusterSourceOptions(program.command("diff"))
    .description(
      "Compares the ConfigMaps in the clusters, whatever program wrote them, with what the rules want, and lists those that no rule names any more. Ends with 0 when nothing differs, 1 when something does, 3 when something could not be compared.",
    )
    .addOption(flag("--commit <id>", "compare with this commit, not with what apply would aim at"))
    .addOption(
      flag(
        "--source-path <dir...>",
        "compare with the files of this folder, not with a branch; of several, the first that has a path wins",
      ),
    )
    .addOption(flag("--rules <file>", "with --source-path: the rules, a plugins.yaml"))
    .addOption(flag("--repo <org/name>", "with --source-path: the repository, for access lists"))
    .addOption(
      flag("--keep-foreign", "with --source-path: keys that no rule names stay (foreignKeys: keep)").default(
        false,
      ),
    )
    .action(async (options: DiffOptions) => {
      const { DIFF_FAILED, diffBranches, diffFolders } = await import("./run.ts")
      run.failureCode = DIFF_FAILED
      run.exitCode = await (isOfFolders(options)
        ? diffFolders(options, run.signal)
        : diffBranches(options, run.signal))
    })
  addExamples(diff, [
    "headrace-bootstrapper diff --config headrace.yaml",
    "headrace-bootstrapper diff --config headrace.yaml --cluster build01",
    `headrace-bootstrapper diff --config headrace.yaml --source-path . \\
    --rules plugins.yaml   # what a pull request would change`,
  ])
}

function isOfFolders(options: DiffOptions): options is FolderDiffOptions {
  const { sourcePath, rules, repo, commit, keepForeign } = options
  if (sourcePath !== undefined && rules !== undefined && commit === undefined) return true
  if (sourcePath !== undefined) {
    throw new UsageError("diff/folder", "--source-path goes with --rules, and without --commit")
  }
  if (rules === undefined && repo === undefined && !keepForeign) return false
  throw new UsageError("diff/no-folder", "--rules, --repo and --keep-foreign go with --source-path", {
    hint: "Add --source-path, or leave them out: without a folder the settings say all of that of each source.",
  })
}
