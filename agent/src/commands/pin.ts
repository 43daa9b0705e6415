import { addExamples } from "@headrace/shared/command-line/help"
import { logLevelFlag } from "@headrace/shared/command-line/log-level-flag"
import type { Command } from "commander"
import { commandLog, linkOption } from "./flags.ts"
import { reasonOption } from "./rollback.ts"

/** `pin PATH` and `unpin PATH`: what is shown stays, and publishing is refused, until unpin. */
export function addPinCommands(program: Command, signal: AbortSignal): void {
  const pinCommand = program
    .command("pin")
    .description("Stays at what is shown: publishing is refused until unpin.")
    .argument("<path>", "the projection")
    .addOption(reasonOption("pinned"))
    .addOption(linkOption())
    .addOption(logLevelFlag())
    .action(async (path: string, options: { reason: string; link: string }, command: Command) => {
      const { withRetainedAlone } = await import("../retain/open-retained.ts")
      const { pin, shownRevision } = await import("../retain/revisions.ts")
      const place = { path, link: options.link, log: await commandLog(command), signal }
      await withRetainedAlone(place, async (projection) => {
        const slot = shownRevision(projection)
        await pin(projection, slot, options.reason)
        const { number, manifest } = slot
        process.stdout.write(`${JSON.stringify({ number, revision: manifest.revision, pinned: true })}\n`)
      })
    })
  const unpinCommand = program
    .command("unpin")
    .description("Lets publishing continue.")
    .argument("<path>", "the projection")
    .addOption(linkOption())
    .addOption(logLevelFlag())
    .action(async (path: string, options: { link: string }, command: Command) => {
      const { withRetainedAlone } = await import("../retain/open-retained.ts")
      const { unpin } = await import("../retain/revisions.ts")
      const place = { path, link: options.link, log: await commandLog(command), signal }
      const changed = await withRetainedAlone(place, unpin)
      process.stdout.write(`${JSON.stringify({ pinned: false, changed })}\n`)
    })
  addExamples(pinCommand, ['headrace-agent pin /var/lib/headrace/job-config --reason "incident 42"'])
  addExamples(unpinCommand, ["headrace-agent unpin /var/lib/headrace/job-config"])
}
