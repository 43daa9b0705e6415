import { flag } from "@headrace/shared/command-line/flag"
import { addExamples } from "@headrace/shared/command-line/help"
import { logLevelFlag } from "@headrace/shared/command-line/log-level-flag"
import { otlpEndpointFlag } from "@headrace/shared/command-line/otlp-endpoint-flag"
import { createProgram } from "@headrace/shared/command-line/program"
import type { Command } from "commander"
import type { RunPluginOptions } from "./run-plugin.ts"

/** The command line of headrace-plugin. */
export function createPluginProgram(signal: AbortSignal): Command {
  const program = createProgram("headrace-plugin", import.meta.url)
    .description("Takes GitHub's webhooks and brings every cluster of the settings to its branch's tip.")
    .addOption(flag("--config <file>", "the operator's settings").needed())
    .addOption(flag("--listen <host:port>", "where the webhook is served").default("0.0.0.0:8888"))
    .addOption(
      flag(
        "--ops-listen <host:port>",
        "where /healthz, /readyz and /metrics are served; without it on the port of --listen, open to all who reach the webhook",
      ),
    )
    .addOption(
      flag(
        "--objects-listen <host:port>",
        "where agents read the store's objects, as `objects` of the settings says; not served without it",
      ),
    )
    .addOption(flag("--redis-url-file <file>", "file with the Redis URL; before settings and REDIS_URL"))
    .addOption(
      flag(
        "--drain <duration>",
        "how long to say not ready before taking no more requests, at the end",
      ).default("0s"),
    )
    .addOption(flag("--schedule <cron>", 'when to look at everything, in UTC, such as "0 * * * *"'))
    .addOption(flag("--settings-interval <duration>", "how often the settings are read again").default("2s"))
    .addOption(otlpEndpointFlag())
    .addOption(logLevelFlag())
    .action(async (options: RunPluginOptions) => {
      const { runPlugin } = await import("./run-plugin.ts")
      await runPlugin(options, signal)
    })
  return addExamples(program, [
    "headrace-plugin --config headrace.yaml",
    "headrace-plugin --config headrace.yaml --listen :8888 --ops-listen :9090",
    'headrace-plugin --config headrace.yaml --schedule "0 * * * *"   # every hour',
  ])
}
