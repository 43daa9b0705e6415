import { UsageError } from "@headrace/shared/foundation/errors"
import { Duration } from "@headrace/shared/settings/units"
import { type Command, InvalidArgumentError, Option } from "commander"
import type { RunOptions } from "./run-agent.ts"

/** `headrace-agent --config FILE`, without a subcommand: runs the agent. */
export function addRunAction(program: Command, signal: AbortSignal): void {
  program
    .addOption(new Option("--config <file>", "the agent's file").env("HEADRACE_CONFIG"))
    .addOption(new Option("--log-level <level>", "trace to fatal, or silent").env("HEADRACE_LOG_LEVEL"))
    .addOption(
      new Option("--once", "end when every projection shows the newest revision").env("HEADRACE_ONCE"),
    )
    .addOption(
      new Option("--timeout <duration>", "with --once: fail after this long, such as 5m")
        .env("HEADRACE_TIMEOUT")
        .argParser(parseDuration),
    )
    .addOption(
      new Option("--jitter <duration>", "spread of the reads after a change, instead of the file's")
        .env("HEADRACE_JITTER")
        .argParser(parseDuration),
    )
    .action(async (options: Partial<RunOptions>) => {
      if (!options.config) {
        throw new UsageError("agent/no-config", "there is nothing to run", {
          hint: "Give --config FILE, or a subcommand (see --help).",
        })
      }
      const { runAgent } = await import("./run-agent.ts")
      await runAgent({ ...options, config: options.config }, signal)
    })
}

function parseDuration(text: string): number {
  const parsed = Duration.safeParse(text)
  if (parsed.success) return parsed.data
  throw new InvalidArgumentError("Expected a duration such as 30s or 5m.")
}
