import { UsageError } from "@headrace/shared/foundation/errors"
import type { Command } from "commander"

/** `headrace-agent check --config FILE`: says what would keep projections from being shown; writes nothing. */
export function addCheckCommand(program: Command, signal: AbortSignal): void {
  program
    .command("check")
    .description("Read the agent's file and its sources; say what keeps projections from being shown.")
    .action(async () => {
      const { config } = program.opts<{ config?: string }>()
      if (!config)
        throw new UsageError("agent/no-config", "there is nothing to check", { hint: "Give --config FILE." })
      const { checkAgent } = await import("./check-agent.ts")
      await checkAgent(config, signal)
    })
}
