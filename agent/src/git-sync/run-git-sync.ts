import { realpath } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { type Clock, LONGEST_WAIT_MS, systemClock } from "@headrace/shared/foundation/clock"
import { errorText, HeadraceError } from "@headrace/shared/foundation/errors"
import { makeFolder } from "@headrace/shared/foundation/make-folder"
import type { Log } from "@headrace/shared/observe/log"
import { type OpenProjection, openProjection } from "../publish/open-projection.ts"
import { addUserName } from "./add-user.ts"
import { createErrorFile } from "./error-file.ts"
import type { GitSyncSettings } from "./git-sync-settings.ts"
import { removeLeftBehind, takesOverLink } from "./leave-git-sync.ts"
import { createSyncHooks, type SyncHooks } from "./sync-hooks.ts"
import { createSyncMetrics } from "./sync-metrics.ts"
import { openSyncPort } from "./sync-port.ts"
import { createSyncer, type Syncer } from "./syncer.ts"
import { touchPath } from "./touch-path.ts"

export interface GitSyncPorts {
  log: Log
  clock?: Clock
  /** Called when a new commit is shown: work that is rare has ended. */
  onShown?(): void
}

/** A replaced revision stays this long, in milliseconds, where --stale-worktree-timeout gives no time. */
const KEEP_MS = 60_000
/** Folder in --root that holds the clone. */
const OWN_FOLDER = ".headrace"

/**
 * Does what git-sync does: syncs, publishes, runs hooks, until the signal aborts, or once. Throws
 * `git-sync/too-many-failures`, `git-sync/hook-failed`, `publish/…` when --root cannot be used, and UsageErrors.
 */
export async function runGitSync(
  given: GitSyncSettings,
  { log, clock = systemClock, onShown }: GitSyncPorts,
  signal: AbortSignal,
): Promise<void> {
  const metrics = createSyncMetrics()
  const settings = await withRealPaths(given)
  const errors = createErrorFile(settings.errorFile, log)
  let isReady = false
  const port =
    settings.httpBind === undefined
      ? undefined
      : await openSyncPort({
          bind: settings.httpBind,
          metrics: settings.httpMetrics ? metrics.registry : undefined,
          isReady: () => isReady,
          log,
        }).catch(async (error: unknown) => {
          await errors.write("can't bind HTTP endpoint", error, { endpoint: settings.httpBind })
          throw error
        })
  const stop = new AbortController()
  const ended = AbortSignal.any([signal, stop.signal])
  const wake = createWake(settings.syncOnSignal)
  const hooks = createSyncHooks(settings, { clock, log, onRun: metrics.hookRan })
  const running = hooks.run(ended)
  running.catch(() => undefined)
  let syncer: Syncer | undefined
  try {
    log.info(
      { root: settings.root, link: settings.link, ref: settings.ref, url: port?.url },
      "git-sync started",
    )
    const userEnv = await addUserName(settings.addUser)
    syncer = createSyncer(settings, {
      folder: join(settings.root, OWN_FOLDER, "tree"),
      open: () => openTree(settings, log, ended),
      hooks,
      metrics,
      userEnv,
      log,
    })
    const loop: Loop = {
      settings,
      syncer,
      hooks,
      metrics,
      errors,
      clock,
      log,
      wake,
      onShown,
      onReady: () => (isReady = true),
    }
    await runLoop(loop, ended)
  } finally {
    stop.abort(new HeadraceError("program/stopped", "git-sync ends"))
    wake.close()
    await running.catch(() => undefined)
    await syncer?.close()
    await port?.close()
    log.info("git-sync stopped")
  }
}

interface Loop {
  settings: GitSyncSettings
  syncer: Syncer
  hooks: SyncHooks
  metrics: ReturnType<typeof createSyncMetrics>
  errors: ReturnType<typeof createErrorFile>
  clock: Clock
  log: Log
  wake: Wake
  onReady(): void
  onShown?: (() => void) | undefined
  /** The commit that consumers were last notified of. */
  notified?: string
}

async function runLoop(loop: Loop, signal: AbortSignal): Promise<void> {
  const { settings, wake, clock } = loop
  const counts = { failures: 0, successes: 0 }
  for (;;) {
    const began = performance.now()
    try {
      await syncOnce(loop, counts.successes === 0, signal)
      counts.failures = 0
      counts.successes += 1
    } catch (error) {
      signal.throwIfAborted()
      counts.failures += 1
      loop.metrics.synced("error", performance.now() - began)
      await reportFailure(loop, counts, error)
    }
    if (settings.oneTime && counts.successes > 0) return endOnce(loop)
    await wake.wait(counts.successes === 0 ? settings.initPeriod : settings.period, clock, signal)
  }
}

/** Throws `git-sync/too-many-failures` at the last one that is allowed. */
async function reportFailure(
  { settings, errors, log }: Loop,
  { failures, successes }: { failures: number; successes: number },
  error: unknown,
): Promise<void> {
  const most = successes === 0 ? settings.initMaxFailures : settings.maxFailures
  const isLast = most >= 0 && failures >= most
  const message = isLast ? "too many failures, aborting" : "error syncing repo, will retry"
  await errors.write(message, error, { failCount: failures, maxFailures: most })
  log.error({ failures, most, err: errorText(error) }, "the sync failed")
  if (isLast) throw tooManyFailures(failures, error)
}

async function syncOnce(loop: Loop, isFirst: boolean, signal: AbortSignal): Promise<void> {
  const { settings, syncer, hooks, errors, metrics, log } = loop
  const began = performance.now()
  const limit = AbortSignal.timeout(Math.min(Math.ceil(settings.syncTimeout), LONGEST_WAIT_MS))
  const { isNew, commit } = await syncer.sync(AbortSignal.any([signal, limit])).catch((error: unknown) => {
    if (limit.aborted && !signal.aborted) throw timedOut(settings.syncTimeout, error)
    throw error
  })
  loop.onReady()
  // At the start consumers are notified in any case: an earlier run may have ended before it did so, as may a sync
  // that failed after it had published.
  const isNews = isNew || isFirst || loop.notified !== commit.hash
  if (isNews) {
    hooks.published(commit)
    loop.notified = commit.hash
    loop.onShown?.()
    await touch(settings.touchFile, log)
    await removeLeftBehind(settings.root, log, isFirst)
  }
  metrics.synced(isNews ? "success" : "noop", performance.now() - began)
  await errors.remove()
}

/** Waits for the first run of each hook, as git-sync --one-time does. */
async function endOnce({ hooks }: Loop): Promise<void> {
  if (await hooks.firstRuns()) return
  throw new HeadraceError("git-sync/hook-failed", "a hook failed; what was synced stays", {
    hint: "Read the hook's message above, and run this again.",
  })
}

async function touch(file: string | undefined, log: Log): Promise<void> {
  if (file === undefined) return
  await touchPath(file).catch((error: unknown) => {
    log.error({ file, err: errorText(error) }, "the touch file cannot be touched")
  })
}

function tooManyFailures(failures: number, cause: unknown): HeadraceError {
  return new HeadraceError("git-sync/too-many-failures", `${failures} syncs failed one after another`, {
    hint: "Act on the cause. Give --max-failures=-1 to try for ever.",
    cause,
  })
}

function timedOut(limit: number, cause: unknown): HeadraceError {
  return new HeadraceError("git/timeout", `the sync took longer than --sync-timeout, ${limit / 1000} s`, {
    hint: "Give it more time with --sync-timeout, or less to fetch with --depth or --filter.",
    cause,
  })
}

/** Opens --root as a projection whose link is --link. */
function openTree(settings: GitSyncSettings, log: Log, signal: AbortSignal): Promise<OpenProjection> {
  const { root, link, staleTimeout, groupWrite } = settings
  return openProjection({
    path: root,
    link: dirname(link) === root ? basename(link) : link,
    visibleLinks: false,
    layout: "links",
    durability: "auto",
    keep: {
      revisions: staleTimeout > 0 ? 1 : 2,
      age: staleTimeout > 0 ? staleTimeout : KEEP_MS,
      bytes: Number.MAX_SAFE_INTEGER,
    },
    permissions: { directory: groupWrite ? 0o775 : 0o755 },
    takesOver: takesOverLink(root),
    log,
    signal,
  })
}

/** Makes --root and the folder of --link, and takes links out of their paths: the link is relative. */
async function withRealPaths(settings: GitSyncSettings): Promise<GitSyncSettings> {
  const { root, link } = settings
  const mode = settings.groupWrite ? 0o775 : 0o755
  try {
    await makeFolder(root, mode)
    const real = await realpath(root)
    const place = dirname(link) === root ? real : dirname(link)
    await makeFolder(place, mode)
    const inRoot = (file: string | undefined) =>
      file?.startsWith(`${root}/`) ? join(real, file.slice(root.length + 1)) : file
    return {
      ...settings,
      root: real,
      link: join(await realpath(place), basename(link)),
      errorFile: inRoot(settings.errorFile),
      touchFile: inRoot(settings.touchFile),
    }
  } catch (cause) {
    const user = process.getuid?.()
    throw new HeadraceError(
      "git-sync/root",
      `user ${user} cannot make or enter ${root}, or the folder of ${link}`,
      {
        hint: `Give --root a volume that user ${user} can write, for example with fsGroup in the pod's securityContext.`,
        cause,
      },
    )
  }
}

/** Waits that a signal ends. */
interface Wake {
  wait(milliseconds: number, clock: Clock, signal: AbortSignal): Promise<void>
  close(): void
}

/** One signal is remembered while a sync runs, as git-sync does. */
function createWake(name: NodeJS.Signals | undefined): Wake {
  let isAsked = false
  let wakeUp: (() => void) | undefined
  function onSignal(): void {
    isAsked = true
    wakeUp?.()
  }
  if (name !== undefined) process.on(name, onSignal)
  return {
    async wait(milliseconds, clock, signal) {
      const over = new AbortController()
      wakeUp = () => over.abort()
      if (!isAsked)
        await clock.sleep(milliseconds, AbortSignal.any([signal, over.signal])).catch(() => undefined)
      wakeUp = undefined
      isAsked = false
      signal.throwIfAborted()
    },
    close() {
      if (name !== undefined) process.off(name, onSignal)
    },
  }
}
