import { addExamples } from "@headrace/shared/command-line/help"
import { logLevelFlag } from "@headrace/shared/command-line/log-level-flag"
import type { Command } from "commander"
import { commandLog, linkOption } from "./flags.ts"

/** `approve PATH REVISION`: lets a revision that the guard holds back be published. */
export function addApproveCommand(program: Command, signal: AbortSignal): void {
  const command = program
    .command("approve")
    .description("Lets a revision be published though it takes most of what is shown away.")
    .argument("<path>", "the projection")
    .argument("<revision>", "its id, as the agent's log, status or /readyz names it")
    .addOption(linkOption())
    .addOption(logLevelFlag())
    .action(async (path: string, revision: string, options: { link: string }) => {
      const { withRetainedAlone } = await import("../retain/open-retained.ts")
      const { approve } = await import("../retain/revisions.ts")
      const place = { path, link: options.link, log: await commandLog(command), signal }
      await withRetainedAlone(place, (projection) => approve(projection, revision))
      process.stdout.write(`${JSON.stringify({ approved: revision })}\n`)
    })
  addExamples(command, ["headrace-agent approve /var/lib/headrace/job-config 3f9a1c0"])
}
