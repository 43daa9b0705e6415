import { flag } from "@headrace/shared/command-line/flag"
import { addExamples } from "@headrace/shared/command-line/help"
import { logLevelFlag } from "@headrace/shared/command-line/log-level-flag"
import type { Command } from "commander"
import { commandLog, durabilityOption, keepOptions, linkOption } from "./flags.ts"

/** `publish --from DIR --to DIR`: publishes a folder once, by the same code as the agent. */
export function addPublishCommand(program: Command, signal: AbortSignal): void {
  const command = program
    .command("publish")
    .description("Publishes a folder once; ends with 0 only when the revision is durable.")
    .addOption(flag("--from <dir>", "folder to publish").needed())
    .addOption(flag("--to <dir>", "projection to publish to").needed())
    .addOption(flag("--revision <id>", "its name; otherwise a digest of the content"))
    .addOption(
      flag("--layout <layout>", "how it is shown").choices(["links", "exchange", "file"]).default("links"),
    )
    .addOption(durabilityOption())
    .addOption(
      flag("--break-leases", "at the size cap remove revisions that readers still hold").default(false),
    )
  for (const option of [...keepOptions(), linkOption(), logLevelFlag()]) command.addOption(option)
  command.action(async (options) => {
    const { publishFolder } = await import("./publish-folder.ts")
    const printed = await publishFolder(options, await commandLog(command), signal)
    process.stdout.write(`${JSON.stringify(printed)}\n`)
  })
  addExamples(command, [
    "headrace-agent publish --from config --to /var/lib/published",
    "headrace-agent publish --from config --to /var/lib/published --revision v1.2",
  ])
}
