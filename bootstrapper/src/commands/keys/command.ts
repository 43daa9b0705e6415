import { flag } from "@headrace/shared/command-line/flag"
import { addExamples } from "@headrace/shared/command-line/help"
import { Argument, type Command } from "commander"
import { addClusterSourceOptions } from "../../cli/cluster-source-options.ts"
import type { CommandRun } from "../../cli/command-run.ts"
import type { KeysOptions, KeysWord } from "./run.ts"

/** `keys`: makes and shows the keys that records are signed by, and signs records that were not. */
export function addKeysCommand(program: Command, run: CommandRun): void {
  const keys = addClusterSourceOptions(program.command("keys"), "optional")
    .description("Makes and shows the keys that records are signed by, and signs what is not signed.")
    .addArgument(new Argument("<what>", "what to do").choices(["generate", "show", "sign"]))
    .addArgument(new Argument("[file]", "the private key's file; show takes a public one, too"))
    .addOption(flag("--expires <date>", "generate: the day or ISO time from which on it is not believed"))
    .action(async (what: KeysWord, file: string | undefined, options: KeysOptions) => {
      const { runKeys } = await import("./run.ts")
      run.exitCode = await runKeys(what, file, options, run.signal)
    })
  addExamples(keys, [
    "headrace-bootstrapper keys generate signing-key --expires 2028-01-01",
    "headrace-bootstrapper keys show signing-key.pub",
    "headrace-bootstrapper keys sign --config headrace.yaml",
  ])
}
