import { flag } from "@headrace/shared/command-line/flag"
import { addExamples } from "@headrace/shared/command-line/help"
import { logLevelFlag } from "@headrace/shared/command-line/log-level-flag"
import { UsageError } from "@headrace/shared/foundation/errors"
import type { Command } from "commander"
import { addProwFlags, type ProwOptions, refuseIdleFlags, unreadFlags } from "../../apply-prow/prow-flags.ts"
import { addClusterSourceOptions } from "../../cli/cluster-source-options.ts"
import type { CommandRun } from "../../cli/command-run.ts"
import type { ApplyOptions } from "./run.ts"

/** `apply`: brings clusters to the goal of their sources, every target looked at. */
export function addApplyCommand(program: Command, run: CommandRun): void {
  const apply = addProwFlags(addClusterSourceOptions(program.command("apply"), "optional"))
    .description("Rebuilds every ConfigMap and the store from the branch, through the lanes or directly.")
    .addOption(flag("--direct", "do it here, without Redis: for a cluster built from nothing").default(false))
    .addOption(flag("--incremental", "look only at what may have changed").default(false))
    .addOption(
      flag("--prune", "remove ConfigMaps of ours that no rule names; only with --direct").default(false),
    )
    .addOption(
      flag(
        "--redis-url-file <file>",
        "file with the Redis URL; otherwise that of the settings, or REDIS_URL",
      ),
    )
    .addOption(flag("--time-limit <duration>", "how long to wait for the lanes").default("10m"))
    .action(async (options: ApplyOptions & ProwOptions, command: Command) => {
      refuseIdleFlags(command)
      if (options.sourcePath !== undefined) {
        run.exitCode = await applyCheckout(options, command, run.signal)
        return
      }
      if (!options.config) {
        throw new UsageError("apply/no-config", "nothing says what to apply", {
          hint: "Give --config FILE, or --source-path DIR with Prow's flags.",
        })
      }
      const { runApply } = await import("./run.ts")
      run.exitCode = await runApply(options, run.signal)
    })
  addExamples(apply, [
    "headrace-bootstrapper apply --config headrace.yaml   # through the lanes",
    "headrace-bootstrapper apply --config headrace.yaml --direct   # without Redis",
    `headrace-bootstrapper apply --source-path . --dry-run=false \\
    --plugin-config plugins.yaml   # as a job of Prow's calls it`,
  ])
}

/**
 * Prow's own way of calling: `config-bootstrapper --source-path=… --dry-run=false …`, without a command. An
 * existing periodic job needs a new image only.
 */
export function addProwCommand(program: Command, run: CommandRun): void {
  addProwFlags(program.command("config-bootstrapper", { isDefault: true, hidden: true }))
    .addOption(flag("--source <name>", "name of the record").argParser((name) => [name]))
    .addOption(flag("-o, --output <format>", "how to print it").choices(["json", "text"]).default("text"))
    .addOption(logLevelFlag().default("warn"))
    .action(async (options: ApplyOptions & ProwOptions, command: Command) => {
      if (options.sourcePath === undefined) program.help({ error: true })
      run.exitCode = await applyCheckout(options, command, run.signal)
    })
}

async function applyCheckout(
  options: ApplyOptions & ProwOptions,
  command: Command,
  signal: AbortSignal,
): Promise<number> {
  for (const note of unreadFlags(command)) process.stderr.write(`note: ${note}\n`)
  const { runApplyCheckout } = await import("../../apply-prow/run.ts")
  return runApplyCheckout(options, signal)
}
