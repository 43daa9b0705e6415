import { addExamples } from "@headrace/shared/command-line/help"
import { logLevelFlag } from "@headrace/shared/command-line/log-level-flag"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { Command } from "commander"
import { commandLog, linkOption } from "./flags.ts"

/** `verify PATH`: reads all that is shown and compares it with its manifest; ends with 1 when something differs. */
export function addVerifyCommand(program: Command, signal: AbortSignal): void {
  const verify = program
    .command("verify")
    .description(
      "Reads all that is shown and compares it with its manifest; ends with 1 when something differs.",
    )
    .argument("<path>", "the projection")
    .addOption(linkOption())
    .addOption(logLevelFlag())
    .action(async (path: string, options: { link: string }, command: Command) => {
      const { withRetained } = await import("../retain/open-retained.ts")
      const { shownRevision } = await import("../retain/revisions.ts")
      const { verifySlot } = await import("../retain/verify.ts")
      await withRetained({ path, ...options, log: await commandLog(command), signal }, async (projection) => {
        const { number, manifest } = shownRevision(projection)
        const damaged = await verifySlot(projection, { number, manifest }, { digests: true })
        const { revision, files } = manifest
        process.stdout.write(`${JSON.stringify({ number, revision, files: files.length, damaged })}\n`)
        if (damaged.length === 0) return
        throw new HeadraceError(
          "retain/damaged",
          `${damaged.length} files of ${path} are not what was published`,
          {
            hint: "Restart the agent, which rewrites them; or publish again, or roll back.",
          },
        )
      })
    })
  addExamples(verify, ["headrace-agent verify /var/lib/headrace/job-config"])
}
