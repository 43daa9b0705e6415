import { addExamples } from "@headrace/shared/command-line/help"
import { logLevelFlag } from "@headrace/shared/command-line/log-level-flag"
import type { Command } from "commander"
import { commandLog, linkOption } from "./flags.ts"

/** `list PATH`: the revisions that a projection keeps, as a JSON array, oldest first. */
export function addListCommand(program: Command, signal: AbortSignal): void {
  const list = program
    .command("list")
    .description("Prints the revisions that a projection keeps, as a JSON array, oldest first.")
    .argument("<path>", "the projection")
    .addOption(linkOption())
    .addOption(logLevelFlag())
    .action(async (path: string, options: { link: string }, command: Command) => {
      const { withRetained } = await import("../retain/open-retained.ts")
      const { listRevisions } = await import("../retain/revisions.ts")
      const listed = await withRetained(
        { path, ...options, log: await commandLog(command), signal },
        listRevisions,
      )
      process.stdout.write(`${JSON.stringify(listed, null, 2)}\n`)
    })
  addExamples(list, ["headrace-agent list /var/lib/headrace/job-config"])
}
