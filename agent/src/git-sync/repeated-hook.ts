import type { Clock } from "@headrace/shared/foundation/clock"
import { errorText } from "@headrace/shared/foundation/errors"
import type { Log } from "@headrace/shared/observe/log"
import { createLatest } from "../watch/latest.ts"

/** What is published: a commit, and where its files are. */
export interface SyncedCommit {
  hash: string
  folder: string
}

/** Runs a hook for the newest commit, again after each failure, as git-sync does. */
export interface RepeatedHook {
  send(commit: SyncedCommit): void
  /** Runs it now, once; after a failure it runs again as `run` has it. */
  attempt(commit: SyncedCommit, signal: AbortSignal): Promise<void>
  /** Resolves with the outcome of the first run. */
  first: Promise<boolean>
  /** Runs until the signal aborts, then rejects with its reason. */
  run(signal: AbortSignal): Promise<never>
}

export interface RepeatedHookOptions {
  /** `exechook`, `pre-publish-exechook` or `webhook`. */
  name: string
  /** Milliseconds between a failure and the next run. */
  backoff: number
  run(commit: SyncedCommit, signal: AbortSignal): Promise<void>
  onRun(name: string, status: "success" | "error"): void
  clock: Clock
  log: Log
}

export function createRepeatedHook(options: RepeatedHookOptions): RepeatedHook {
  const { name, backoff, onRun, clock, log } = options
  const commits = createLatest<SyncedCommit>()
  const { promise: first, resolve } = Promise.withResolvers<boolean>()
  let last: string | undefined
  /** Of the last failure that has not been followed by another run. */
  let failedAt: number | undefined

  /** False when it failed. */
  async function runOnce(commit: SyncedCommit, signal: AbortSignal): Promise<boolean> {
    try {
      await options.run(commit, signal)
      last = commit.hash
      failedAt = undefined
      onRun(name, "success")
      resolve(true)
      return true
    } catch (error) {
      signal.throwIfAborted()
      log.warn({ hook: name, hash: commit.hash, err: errorText(error) }, "a hook failed and runs again")
      onRun(name, "error")
      failedAt = clock.now()
      resolve(false)
      return false
    }
  }

  return {
    send: commits.set,
    first,
    async attempt(commit, signal) {
      if (!(await runOnce(commit, signal))) commits.set(commit)
    },
    async run(signal) {
      for (let seen = 0; ; ) {
        await commits.after(seen, signal)
        if (failedAt !== undefined) await clock.sleep(failedAt + backoff - clock.now(), signal)
        // The newest one, should another have come while it waited.
        const { value, version } = await commits.after(seen, signal)
        if (value.hash === last || (await runOnce(value, signal))) seen = version
      }
    },
  }
}
