import { flag } from "@headrace/shared/command-line/flag"
import { addExamples } from "@headrace/shared/command-line/help"
import { UsageError } from "@headrace/shared/foundation/errors"
import type { Command } from "commander"
import { addClusterSourceOptions } from "../../cli/cluster-source-options.ts"
import type { CommandRun } from "../../cli/command-run.ts"
import { addEffectFlags } from "../../cli/effect-flags.ts"
import type { AdoptOptions } from "./run.ts"

/** `adopt`: takes existing ConfigMaps over. */
export function addAdoptCommand(program: Command, run: CommandRun): void {
  const adopt = addEffectFlags(addClusterSourceOptions(program.command("adopt")))
    .description("Takes over ConfigMaps that another program made and the rules name, and writes them.")
    .addOption(flag("--rule <glob...>", "those that these rules name, by their globs; otherwise all rules"))
    .addOption(flag("--target <namespace/name...>", "exactly these"))
    .action(async (options: AdoptOptions) => {
      if (options.rule && options.target) {
        throw new UsageError("adopt/which", "--rule and --target exclude each other", { hint: "Keep one." })
      }
      const { runAdopt } = await import("./run.ts")
      run.exitCode = await runAdopt(options, run.signal)
    })
  addExamples(adopt, [
    "headrace-bootstrapper adopt --config headrace.yaml",
    "headrace-bootstrapper adopt --config headrace.yaml --target ci/job-config",
  ])
}
