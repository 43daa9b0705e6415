import { flag } from "@headrace/shared/command-line/flag"
import { addExamples } from "@headrace/shared/command-line/help"
import { UsageError } from "@headrace/shared/foundation/errors"
import type { Command } from "commander"
import { configFlag } from "./flags.ts"

/** `headrace-agent check --config FILE`: says what would keep projections from being shown; writes nothing. */
export function addCheckCommand(program: Command, signal: AbortSignal): void {
  const check = program
    .command("check")
    .description(
      "Reads the agent's file and its sources, and prints what keeps projections from being shown.",
    )
    .addOption(configFlag())
    .addOption(flag("--kubeconfig <file>", "cluster to ask, in place of the file's: from where no Pod is"))
    .action(async (options: { config?: string; kubeconfig?: string }) => {
      const config = options.config ?? program.opts<{ config?: string }>().config
      if (!config)
        throw new UsageError("agent/no-config", "there is nothing to check", { hint: "Give --config FILE." })
      const { checkAgent } = await import("./check-agent.ts")
      await checkAgent(config, options.kubeconfig, signal)
    })
  addExamples(check, [
    "headrace-agent check --config agent.yaml",
    "headrace-agent check --config agent.yaml --kubeconfig ~/.kube/config",
  ])
}
