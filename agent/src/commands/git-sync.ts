import type { Command } from "commander"

/** `headrace-agent git-sync FLAGS`: takes git-sync's flags and variables as they are, and does what git-sync does. */
export function addGitSyncCommand(program: Command, signal: AbortSignal): void {
  program
    .command("git-sync")
    .description("Takes git-sync's flags and GITSYNC_ variables as they are, and does what git-sync does.")
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .argument("[flags...]", "flags of git-sync; --help lists them")
    .action(async (flags: string[]) => {
      const { gitSync } = await import("../git-sync/git-sync.ts")
      await gitSync(flags, signal)
    })
}
