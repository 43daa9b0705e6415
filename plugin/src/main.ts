#!/usr/bin/env node
import { runProgram } from "@headrace/shared/foundation/run-program"
import { Command, CommanderError, Option } from "commander"
import type { RunPluginOptions } from "./run-plugin.ts"

function createProgram(signal: AbortSignal): Command {
  return new Command("headrace-plugin")
    .description("Takes GitHub's webhooks and brings every cluster of the settings to its branch's tip.")
    .addOption(
      new Option("--config <file>", "the operator's settings").env("HEADRACE_CONFIG").makeOptionMandatory(),
    )
    .addOption(
      new Option("--listen <host:port>", "where the webhook is served")
        .env("HEADRACE_LISTEN")
        .default("0.0.0.0:8888"),
    )
    .addOption(
      new Option(
        "--ops-listen <host:port>",
        "where /healthz, /readyz and /metrics are served; without it on the port of --listen, open to all who reach the webhook",
      ).env("HEADRACE_OPS_LISTEN"),
    )
    .addOption(
      new Option("--redis-url-file <file>", "file with the Redis URL; before settings and REDIS_URL").env(
        "HEADRACE_REDIS_URL_FILE",
      ),
    )
    .addOption(
      new Option("--drain <duration>", "how long to say not ready before taking no more requests, at the end")
        .env("HEADRACE_DRAIN")
        .default("0s"),
    )
    .addOption(
      new Option("--schedule <cron>", 'when to look at everything, in UTC, such as "0 * * * *"').env(
        "HEADRACE_SCHEDULE",
      ),
    )
    .addOption(new Option("--log-level <level>", "trace to fatal, or silent").env("HEADRACE_LOG_LEVEL"))
    .exitOverride()
    .action(async (options: RunPluginOptions) => {
      const { runPlugin } = await import("./run-plugin.ts")
      await runPlugin(options, signal)
    })
}

async function main(signal: AbortSignal): Promise<number> {
  try {
    await createProgram(signal).parseAsync()
    return 0
  } catch (error) {
    // commander has printed its message already: help ends with 0, a misuse with 2.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    throw error
  }
}

await runProgram(main)
