import { gitSyncSettings } from "@headrace/agent/git-sync/git-sync-settings"
import { readGitSyncOptions } from "@headrace/agent/git-sync/read-git-sync-options"
import { runGitSync } from "@headrace/agent/git-sync/run-git-sync"
import { createLog, type Log } from "@headrace/shared/observe/log"

/** A git-sync of ours that runs in this process. */
export interface RunningGitSync {
  /** Its log, parsed. */
  log(): Record<string, unknown>[]
  /** Rejects when it fails; resolves when it ends. */
  ended: Promise<void>
  /** Ends it, and waits for that. */
  stop(): Promise<void>
}

/** Starts git-sync by its flags and variables. */
export function startGitSync(flags: readonly string[], env: Record<string, string> = {}): RunningGitSync {
  const lines: string[] = []
  const log: Log = createLog("git-sync", {
    level: "debug",
    destination: { write: (line) => lines.push(line) },
  })
  const stop = new AbortController()
  const reason = new Error("the test ends it")
  const settings = gitSyncSettings(readGitSyncOptions(flags, env))
  const ended = runGitSync(settings, { log }, stop.signal).catch((error: unknown) => {
    if (error !== reason) throw error
  })
  ended.catch(() => undefined)
  return {
    log: () => lines.map((line) => JSON.parse(line)),
    ended,
    async stop() {
      stop.abort(reason)
      await ended.catch(() => undefined)
    },
  }
}

/** Runs git-sync while `use` works with it. What it fails with is thrown. */
export async function withGitSync<T>(
  flags: readonly string[],
  use: (sync: RunningGitSync) => Promise<T>,
  env: Record<string, string> = {},
): Promise<T> {
  const sync = startGitSync(flags, env)
  try {
    return await Promise.race([
      use(sync),
      sync.ended.then(() => Promise.reject(new Error("git-sync has ended"))),
    ])
  } finally {
    await sync.stop()
  }
}

/** Runs git-sync --one-time to its end, which may be an error. */
export async function gitSyncOnce(
  flags: readonly string[],
  env: Record<string, string> = {},
): Promise<RunningGitSync> {
  const sync = startGitSync(["--one-time", ...flags], env)
  await sync.ended
  return sync
}
