import { createLog } from "@headrace/shared/observe/log"
import { createMemoryReturn, keepHeapSmall } from "../ops/give-memory-back.ts"
import { createErrorFile } from "./error-file.ts"
import { gitSyncHelp } from "./git-sync-help.ts"
import { GIT_SYNC_VERSION } from "./git-sync-options.ts"
import { type GitSyncSettings, gitSyncSettings } from "./git-sync-settings.ts"
import { valuesOf } from "./given-values.ts"
import { type GivenOptions, readGitSyncOptions } from "./read-git-sync-options.ts"
import { runGitSync } from "./run-git-sync.ts"

/** The command `git-sync`, by its flags and our environment. Throws UsageError `git-sync/…`, and as runGitSync does. */
export async function gitSync(flags: readonly string[], signal: AbortSignal): Promise<void> {
  const options = readGitSyncOptions(flags, process.env)
  const isAsked = (name: "help" | "man" | "version") => options.given.get(name)?.values.at(-1) === "true"
  if (isAsked("help") || isAsked("man")) {
    process.stdout.write(gitSyncHelp())
    return
  }
  if (isAsked("version")) {
    process.stdout.write(`headrace-agent git-sync, by the flags of git-sync ${GIT_SYNC_VERSION}\n`)
    return
  }
  const settings = await settingsOf(options)
  keepHeapSmall()
  const log = createLog("git-sync", { level: settings.logLevel, destination: process.stderr })
  for (const remark of options.remarks) log.warn({ remark }, "an option has an older name, or no effect")
  process.umask(settings.groupWrite ? 0o002 : 0o022)
  const memory = createMemoryReturn()
  try {
    await runGitSync(settings, { log, onShown: memory.used }, signal)
  } finally {
    memory.stop()
  }
}

/** The settings; what is wrong with them is in --error-file too, as with git-sync. */
async function settingsOf(options: GivenOptions): Promise<GitSyncSettings> {
  try {
    return gitSyncSettings(options)
  } catch (error) {
    const read = valuesOf(options)
    const file = read.path("errorFile", read.text("root"))
    await createErrorFile(file, createLog("git-sync", { destination: process.stderr })).write(
      "the options cannot be used",
      error,
      {},
    )
    throw error
  }
}
