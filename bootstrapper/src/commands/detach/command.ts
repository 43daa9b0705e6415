import { addExamples } from "@headrace/shared/command-line/help"
import type { Command } from "commander"
import { addClusterSourceOptions, type ClusterSourceOptions } from "../../cli/cluster-source-options.ts"
import type { CommandRun } from "../../cli/command-run.ts"

/** `detach`: gives ConfigMaps back to Prow. */
export function addDetachCommand(program: Command, run: CommandRun): void {
  const detach = addClusterSourceOptions(program.command("detach"))
    .description(
      "Takes Headrace's marks off the ConfigMaps of a source and removes its record, so that Prow continues from there. Stop the plugin first, or take the source out of its settings.",
    )
    .action(async (options: ClusterSourceOptions) => {
      const { runDetach } = await import("./run.ts")
      run.exitCode = await runDetach(options, run.signal)
    })
  addExamples(detach, ["headrace-bootstrapper detach --config headrace.yaml --source release"])
}
