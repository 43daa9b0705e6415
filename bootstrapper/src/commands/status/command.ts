import { flag } from "@headrace/shared/command-line/flag"
import { addExamples } from "@headrace/shared/command-line/help"
import { UsageError } from "@headrace/shared/foundation/errors"
import type { Command } from "commander"
import { addClusterSourceOptions } from "../../cli/cluster-source-options.ts"
import type { CommandRun } from "../../cli/command-run.ts"
import { commitDigits } from "../../cli/named-commit.ts"
import type { WantedChange } from "./commit-status.ts"
import type { StatusOptions } from "./run.ts"

/** What `--commit` or `--pr` asks for. Throws UsageError. */
function wantedChange({ commit, pr }: StatusOptions): WantedChange | undefined {
  if (commit !== undefined && pr !== undefined) {
    throw new UsageError("status/change", "--commit and --pr ask for two things", {
      hint: "Give one of them.",
    })
  }
  if (commit !== undefined) return { commit: commitDigits(commit) }
  if (pr === undefined) return undefined
  if (/^[1-9]\d{0,9}$/.test(pr)) return { pullRequest: Number(pr) }
  throw new UsageError("status/change", `${pr} is not a pull request's number`, {
    hint: "Give the number that its URL ends with, such as --pr 512.",
  })
}

/** `status`: what each cluster shows of each source. */
export function addStatusCommand(program: Command, run: CommandRun): void {
  const status = addClusterSourceOptions(program.command("status"))
    .description(
      "Shows what every cluster shows, how far behind the branch it is, holds, failures and sizes.",
    )
    .addOption(flag("--no-fetch", "do not ask git how far behind the branch that is"))
    .addOption(flag("--commit <id>", "ask whether this commit is live on every node"))
    .addOption(
      flag("--pr <number>", "ask the same of a pull request, by the subject of its merge or squash commit"),
    )
    .addOption(flag("--wait", "with --commit or --pr: wait until it is").default(false))
    .addOption(flag("--time-limit <duration>", "with --wait: for how long").default("10m"))
    .addOption(flag("--redis-url-file <file>", "file with the Redis URL; else the settings, else REDIS_URL"))
    .action(async (options: StatusOptions) => {
      const { runCommitStatus, runStatus } = await import("./run.ts")
      const wanted = wantedChange(options)
      if (wanted === undefined && options.wait) {
        const hint = "Add --commit ID or --pr NUMBER."
        throw new UsageError("status/wait", "--wait does not say for what", { hint })
      }
      run.exitCode = await (wanted === undefined
        ? runStatus(options, run.signal)
        : runCommitStatus(options, wanted, run.signal))
    })
  addExamples(status, [
    "headrace-bootstrapper status --config headrace.yaml",
    "headrace-bootstrapper status --config headrace.yaml --pr 512 --wait",
  ])
}
