import { type Command, Option } from "commander"
import { commandLog, linkOption } from "./flags.ts"

/** `rollback PATH`: shows an earlier revision and pins it. */
export function addRollbackCommand(program: Command, signal: AbortSignal): void {
  program
    .command("rollback")
    .description("show an earlier revision, and stay there until unpin")
    .argument("<path>", "the projection")
    .addOption(new Option("--to <revision>", "number or id; else the one before").env("HEADRACE_ROLLBACK_TO"))
    .addOption(reasonOption("rolled back"))
    .addOption(linkOption())
    .action(async (path: string, options: { to?: string; reason: string; link: string }) => {
      const { withRetainedAlone } = await import("../retain/open-retained.ts")
      const { rollback } = await import("../retain/revisions.ts")
      const place = { path, link: options.link, log: commandLog(program), signal }
      await withRetainedAlone(place, async (projection) => {
        const { number, manifest } = await rollback(projection, options.to, options.reason)
        process.stdout.write(`${JSON.stringify({ number, revision: manifest.revision, pinned: true })}\n`)
      })
    })
}

/** Why an operator holds a projection: in the message that a refused publish gets. */
export function reasonOption(otherwise: string): Option {
  return new Option("--reason <text>", "why, for those who wonder").default(otherwise).env("HEADRACE_REASON")
}
