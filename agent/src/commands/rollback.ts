import { flag } from "@headrace/shared/command-line/flag"
import { addExamples } from "@headrace/shared/command-line/help"
import { logLevelFlag } from "@headrace/shared/command-line/log-level-flag"
import { type Command, InvalidArgumentError, type Option } from "commander"
import { commandLog, linkOption } from "./flags.ts"

/** `rollback PATH`: shows an earlier revision and pins it. */
export function addRollbackCommand(program: Command, signal: AbortSignal): void {
  const rollback = program
    .command("rollback")
    .description("Shows an earlier revision, and stays there until unpin.")
    .argument("<path>", "the projection")
    .addOption(flag("--to <revision>", "number or id; otherwise the one before").env("HEADRACE_ROLLBACK_TO"))
    .addOption(reasonOption("rolled back"))
    .addOption(linkOption())
    .addOption(logLevelFlag())
    .action(
      async (path: string, options: { to?: string; reason: string; link: string }, command: Command) => {
        const { withRetainedAlone } = await import("../retain/open-retained.ts")
        const { rollback } = await import("../retain/revisions.ts")
        const place = { path, link: options.link, log: await commandLog(command), signal }
        await withRetainedAlone(place, async (projection) => {
          const { number, manifest } = await rollback(projection, options.to, options.reason)
          process.stdout.write(`${JSON.stringify({ number, revision: manifest.revision, pinned: true })}\n`)
        })
      },
    )
  addExamples(rollback, [
    `headrace-agent rollback /var/lib/headrace/job-config --reason "incident 42"`,
    "headrace-agent rollback /var/lib/headrace/job-config --to 41",
  ])
}

/** Why an operator holds a projection: in the message that a refused publish gets. */
export function reasonOption(otherwise: string): Option {
  return flag("--reason <text>", "why, for those who wonder").argParser(readReason).default(otherwise)
}

function readReason(text: string): string {
  if (text.trim() !== "") return text
  throw new InvalidArgumentError("Say why in a few words, or leave it out.")
}
