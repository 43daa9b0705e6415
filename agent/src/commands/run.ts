import { flag } from "@headrace/shared/command-line/flag"
import { addExamples } from "@headrace/shared/command-line/help"
import { logLevelFlag } from "@headrace/shared/command-line/log-level-flag"
import { otlpEndpointFlag } from "@headrace/shared/command-line/otlp-endpoint-flag"
import { UsageError } from "@headrace/shared/foundation/errors"
import { readDuration } from "@headrace/shared/foundation/read-units"
import { type Command, InvalidArgumentError } from "commander"
import { configFlag } from "./flags.ts"
import type { RunOptions } from "./run-agent.ts"

/** `headrace-agent --config FILE`, without a subcommand: runs the agent. */
export function addRunAction(program: Command, signal: AbortSignal): void {
  program
    .addOption(configFlag())
    .addOption(otlpEndpointFlag())
    .addOption(logLevelFlag())
    .addOption(flag("--once", "end when every projection shows the newest revision"))
    .addOption(
      flag("--timeout <duration>", "with --once: fail after this long, such as 5m").argParser(parseDuration),
    )
    .addOption(
      flag(
        "--confine <when>",
        "write only where the settings name, by Landlock: auto, where the kernel has it and the process is started again; always, or not run; off",
      )
        .choices(["auto", "always", "off"])
        .default("auto"),
    )
    .addOption(
      flag("--jitter <duration>", "spread of the reads after a change, instead of the file's").argParser(
        parseDuration,
      ),
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
  addExamples(program, [
    "headrace-agent --config agent.yaml",
    "headrace-agent --config agent.yaml --once --timeout 5m   # and end",
    "headrace-agent publish --from config --to /var/lib/published",
  ])
}

function parseDuration(text: string): number {
  const milliseconds = readDuration(text)
  if (milliseconds !== undefined) return milliseconds
  throw new InvalidArgumentError("Expected a duration such as 30s or 5m.")
}
