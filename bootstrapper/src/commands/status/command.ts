import { flag } from "@headrace/shared/command-line/flag"
import { addExamples } from "@headrace/shared/command-line/help"
import { UsageError } from "@headrace/shared/foundation/errors"
import type { Command } from "commander"
import { addFleetOptions } from "../../cli/add-fleet-options.ts"
import type { CommandRun } from "../../cli/command-run.ts"
import { commitDigits } from "../../cli/named-commit.ts"
import type { WantedChange } from "./commit-status.ts"
import type { CommitStatusOptions, StatusOptions } from "./run.ts"

type AllOptions = StatusOptions & CommitStatusOptions & { commit?: string; pr?: string }

/** What `--commit` or `--pr` asks for. Throws UsageError. */
function wantedChange({ commit, pr }: AllOptions): WantedChange | undefined {
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

/** Flags that mean nothing together would be ignored, and the reader deceived. */
function refuseIdleFlags(
  { wait, watch, output, ignoreSilent }: AllOptions,
  wanted: WantedChange | undefined,
): void {
  if (wanted === undefined && (wait || ignoreSilent)) {
    const given = wait ? "--wait" : "--ignore-silent"
    const hint = "Add --commit ID or --pr NUMBER."
    throw new UsageError("status/wait", `${given} does not say for what`, { hint })
  }
  if (wanted !== undefined && (watch || output === "html")) {
    throw new UsageError(
      "status/watch",
      `${watch ? "--watch" : "-o html"} shows everything, not one change`,
      {
        hint: watch ? "Use --wait in its place." : "Use -o text or -o json.",
      },
    )
  }
  if (watch && (output !== "text" || !process.stdout.isTTY)) {
    throw new UsageError("status/watch", "--watch needs a terminal, and text", {
      hint: "Leave it out; a script can repeat the command.",
    })
  }
}

/** `status`: what each cluster shows of each source. */
export function addStatusCommand(program: Command, run: CommandRun): void {
  const change = "Is a change live?"
  const status = addFleetOptions(program.command("status"), ["text", "json", "html"])
    .description(
      "Shows what every cluster shows, worst first: lag, stops, holds, failures, nodes, and what to type. Exits with 1 while something needs a person.",
    )
    .addOption(flag("--watch", "show it again every two seconds, on a terminal").default(false))
    .addOption(flag("--commit <id>", "ask whether this commit is live on every node").helpGroup(change))
    .addOption(
      flag(
        "--pr <number>",
        "ask the same of a pull request, by the subject of its merge or squash commit",
      ).helpGroup(change),
    )
    .addOption(flag("--wait", "wait until it is").default(false).helpGroup(change))
    .addOption(flag("--time-limit <duration>", "with --wait: for how long").default("10m").helpGroup(change))
    .addOption(
      flag("--ignore-silent", "leave out nodes that have ceased to report").default(false).helpGroup(change),
    )
    .action(async (options: AllOptions) => {
      const wanted = wantedChange(options)
      refuseIdleFlags(options, wanted)
      const { runCommitStatus, runStatus } = await import("./run.ts")
      run.exitCode = await (wanted === undefined
        ? runStatus(options, run.signal)
        : runCommitStatus(options, wanted, run.signal))
    })
  addExamples(status, [
    "headrace-bootstrapper status --config headrace.yaml",
    "headrace-bootstrapper status --config headrace.yaml --watch",
    "headrace-bootstrapper status --config headrace.yaml --pr 512 --wait",
    "headrace-bootstrapper status --config headrace.yaml -o html > status.html",
  ])
}
