import type { Clock } from "@headrace/shared/foundation/clock"
import type { Log } from "@headrace/shared/observe/log"
import { callHttp } from "../notify/call-http.ts"
import { runHook } from "../notify/run-hook.ts"
import type { GitSyncSettings } from "./git-sync-settings.ts"
import type { HookSettings, WebhookSettings } from "./hook-settings.ts"
import { createRepeatedHook, type RepeatedHook, type SyncedCommit } from "./repeated-hook.ts"

/** As many as Go's client follows. */
const MOST_REDIRECTS = 10

/** git-sync's three hooks. */
export interface SyncHooks {
  /** Sends the commit to the pre-publish hook, and resolves when its first run for it has ended, with any result. */
  beforePublish(commit: SyncedCommit, signal: AbortSignal): Promise<void>
  /** Sends the commit to the other hooks. */
  published(commit: SyncedCommit): void
  /** True when the first run of each hook that was sent a commit succeeded. */
  firstRuns(): Promise<boolean>
  /** Runs until the signal aborts, then rejects with its reason. */
  run(signal: AbortSignal): Promise<unknown>
}

export interface SyncHooksPorts {
  clock: Clock
  log: Log
  onRun(name: string, status: "success" | "error"): void
}

export function createSyncHooks(settings: GitSyncSettings, ports: SyncHooksPorts): SyncHooks {
  const { exechook, prePublishHook, webhook } = settings
  /** A hook that failed before the publish runs again where the files are since. */
  let shown: SyncedCommit | undefined
  const placeOf = (commit: SyncedCommit) => (shown?.hash === commit.hash ? shown.folder : commit.folder)
  const before =
    prePublishHook &&
    createRepeatedHook({ ...ports, ...program("pre-publish-exechook", prePublishHook, placeOf) })
  const after = [
    ...(exechook ? [createRepeatedHook({ ...ports, ...program("exechook", exechook, placeOf) })] : []),
    ...(webhook ? [createRepeatedHook({ ...ports, ...call(webhook) })] : []),
  ]
  const sent = new Set<RepeatedHook>()
  return {
    async beforePublish(commit, signal) {
      if (before === undefined) return
      sent.add(before)
      await before.attempt(commit, signal)
    },
    published(commit) {
      shown = commit
      for (const hook of after) {
        sent.add(hook)
        hook.send(commit)
      }
    },
    async firstRuns() {
      const outcomes = await Promise.all([...sent].map((hook) => hook.first))
      return outcomes.every((isSuccess) => isSuccess)
    },
    run: (signal) => Promise.all([...after, ...(before ? [before] : [])].map((hook) => hook.run(signal))),
  }
}

/** A program in the synced folder, without arguments and without a shell. */
function program(
  name: string,
  { command, timeout, backoff }: HookSettings,
  placeOf: (commit: SyncedCommit) => string,
) {
  return {
    name,
    backoff,
    run: (commit: SyncedCommit, signal: AbortSignal) =>
      runHook(
        { command: [command], timeout, folder: placeOf(commit), env: { GITSYNC_HASH: commit.hash } },
        signal,
      ),
  }
}

function call({ status, backoff, ...to }: WebhookSettings) {
  return {
    name: "webhook",
    backoff,
    run: ({ hash }: SyncedCommit, signal: AbortSignal) =>
      callHttp(
        {
          ...to,
          status: status ?? "any",
          headers: { "gitsync-hash": hash },
          mostRedirects: MOST_REDIRECTS,
          proxied: true,
        },
        signal,
      ),
  }
}
