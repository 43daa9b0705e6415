import { flag } from "@headrace/shared/command-line/flag"
import { addExamples } from "@headrace/shared/command-line/help"
import type { Command } from "commander"
import type { CommandRun } from "../../cli/command-run.ts"
import type { CheckOptions } from "./run.ts"

/** `check`: judges rules and files, for a CI job on pull requests. Reads only. */
export function addCheckCommand(program: Command, run: CommandRun): void {
  const check = program
    .command("check")
    .description("Finds mistakes in rules and files, and says how full each ConfigMap is.")
    .addOption(
      flag("--source-path <dir...>", "folder with the files; of several, the first that has a path wins"),
    )
    .addOption(
      flag("--repo <repository>", "URL to read --ref from; with --source-path ORG/NAME, for access lists"),
    )
    .addOption(flag("--ref <ref>", "branch, tag or commit of --repo").default("HEAD"))
    .addOption(flag("--rules <file>", "the rules: a plugins.yaml").needed())
    .addOption(
      flag(
        "--config <file>",
        "the operator's file: its clusters, namespaces and defaults are held against the rules",
      ),
    )
    .addOption(
      flag(
        "--source <name>",
        "the source of --config whose gates judge the files; without it the one of --repo, or the only one with gates",
      ),
    )
    .addOption(flag("--base <ref>", "show what changes since the merge base with this branch"))
    .addOption(
      flag(
        "--allowed-signers <file>",
        "SSH keys, one of which must have signed the commit; with --base each since the merge base",
      ),
    )
    .addOption(flag("--gpg-keys <dir>", "the same with public GPG keys, a file each"))
    .addOption(
      flag("--other-rules <file...>", "rules of other sources, which must claim other ConfigMaps").default(
        [],
      ),
    )
    .addOption(
      flag("--default-cluster <name>", "without --config: where a rule without clusters goes").default(
        "default",
      ),
    )
    .addOption(
      flag("--default-namespace <name>", "without --config: the namespace that an empty one means").default(
        "default",
      ),
    )
    .addOption(flag("--strict", "a warning fails too").default(false))
    .addOption(
      flag(
        "--prow",
        "accept what Prow accepts: files lost because another has their key are a warning",
      ).default(false),
    )
    .addOption(
      flag("-o, --output <format>", "how to print it").choices(["text", "json", "github"]).default("text"),
    )
    .action(async (options: CheckOptions) => {
      const { runCheck } = await import("./run.ts")
      run.exitCode = await runCheck(options, run.signal)
    })
  addExamples(check, [
    "headrace-bootstrapper check --source-path . --rules plugins.yaml",
    `headrace-bootstrapper check --source-path . --rules plugins.yaml \\
    --base origin/main   # what a pull request changes`,
    `headrace-bootstrapper check --source-path . --rules plugins.yaml \\
    --config headrace.yaml --source jobs --base origin/main   # by the gates`,
    "headrace-bootstrapper check --source-path . --rules plugins.yaml -o github",
  ])
}
