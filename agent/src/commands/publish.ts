import { type Command, Option } from "commander"
import { commandLog, durabilityOption, keepOptions, linkOption } from "./flags.ts"

/** `publish --from DIR --to DIR`: publishes a folder once, by the same code as the agent. */
export function addPublishCommand(program: Command, signal: AbortSignal): void {
  const command = program
    .command("publish")
    .description("publish a folder once; ends with 0 only when the revision is durable")
    .addOption(new Option("--from <dir>", "folder to publish").env("HEADRACE_FROM").makeOptionMandatory())
    .addOption(new Option("--to <dir>", "projection to publish to").env("HEADRACE_TO").makeOptionMandatory())
    .addOption(
      new Option("--revision <id>", "its name; else a digest of the content").env("HEADRACE_REVISION"),
    )
    .addOption(
      new Option("--layout <layout>", "how it is shown")
        .choices(["links", "exchange", "file"])
        .default("links")
        .env("HEADRACE_LAYOUT"),
    )
    .addOption(durabilityOption())
    .addOption(
      new Option("--break-leases", "at the size cap remove revisions that readers still hold")
        .default(false)
        .env("HEADRACE_BREAK_LEASES"),
    )
  for (const option of [...keepOptions(), linkOption()]) command.addOption(option)
  command.action(async (options) => {
    const { publishFolder } = await import("./publish-folder.ts")
    const printed = await publishFolder(options, commandLog(program), signal)
    process.stdout.write(`${JSON.stringify(printed)}\n`)
  })
}
