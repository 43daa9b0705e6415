import { flag } from "@headrace/shared/command-line/flag"
import { addExamples } from "@headrace/shared/command-line/help"
import type { Command } from "commander"
import { addClusterSourceOptions } from "../../cli/cluster-source-options.ts"
import type { CommandRun } from "../../cli/command-run.ts"
import { addEffectFlags } from "../../cli/effect-flags.ts"
import { userName } from "../../cli/user-name.ts"
import type { ApproveOptions } from "./run.ts"

/** `approve`: lets one commit through what stopped it: the guard, the gates, its signature or a rollout. */
export function addApproveCommand(program: Command, run: CommandRun): void {
  const approve = addEffectFlags(addClusterSourceOptions(program.command("approve")))
    .description(
      "Lets a commit delete what the guard stopped it for, through the gates, be shown unverified, or be rolled out again.",
    )
    .addOption(flag("--commit <id>", "the commit, by 4 digits of its id or more").needed())
    .addOption(flag("--by <name>", "who approves it").default(userName()))
    .addOption(flag("--reason <text>", "why, for the record and its Event").default("no reason given"))
    .addOption(
      flag("--gate", "let it through the gates that refuse it; the guard judges it all the same").conflicts([
        "unverified",
        "rejection",
      ]),
    )
    .addOption(
      flag(
        "--unverified",
        "show it once though no allowed key has signed it; the guard judges it all the same",
      ).conflicts("rejection"),
    )
    .addOption(
      flag("--rejection", "lift the rejection of a rollout instead, in every cluster").conflicts("cluster"),
    )
    .action(async (options: ApproveOptions) => {
      const { runApprove } = await import("./run.ts")
      run.exitCode = await runApprove(options, run.signal)
    })
  addExamples(approve, [
    "headrace-bootstrapper approve --config headrace.yaml --commit 3f9a1c0",
    `headrace-bootstrapper approve --config headrace.yaml --commit 3f9a1c0 \\
    --cluster build01`,
    `headrace-bootstrapper approve --config headrace.yaml --commit 3f9a1c0 \\
    --gate`,
    `headrace-bootstrapper approve --config headrace.yaml --commit 3f9a1c0 \\
    --unverified`,
    `headrace-bootstrapper approve --config headrace.yaml --commit 3f9a1c0 \\
    --rejection --reason "the check was at fault"`,
  ])
}
