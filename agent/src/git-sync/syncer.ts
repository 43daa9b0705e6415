import { realpath } from "node:fs/promises"
import { dirname, join } from "node:path"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { Log } from "@headrace/shared/observe/log"
import type { OpenProjection } from "../publish/open-projection.ts"
import { askPassword } from "./ask-password.ts"
import { checkOut, collectGarbage, fetchCommit, isFullId, isOfCheckout, removeCheckout } from "./checkout.ts"
import { type GitCommandRunner, gitCommandRunner } from "./git-command.ts"
import { writeGitConfigFile } from "./git-config-file.ts"
import { type GitCredential, gitLogins } from "./git-credentials.ts"
import type { GitSyncSettings } from "./git-sync-settings.ts"
import { createGithubAppLogin } from "./github-app-login.ts"
import type { SyncedCommit } from "./repeated-hook.ts"
import type { SyncHooks } from "./sync-hooks.ts"
import type { SyncMetrics } from "./sync-metrics.ts"
import { type KnownDigests, leftOutText, treeFiles } from "./tree-files.ts"

export interface SyncerPorts {
  /** Where to check out. */
  folder: string
  /** The projection of --root; opened again when what it shows is lost. */
  open(): Promise<OpenProjection>
  hooks: SyncHooks
  metrics: SyncMetrics
  userEnv: Readonly<Record<string, string>>
  log: Log
}

/** Brings the projection to the ref's commit. */
export interface Syncer {
  /** Fetches and publishes what is new, or lost. Throws `git/…`, `publish/…`, `disk/…`. */
  sync(signal: AbortSignal): Promise<{ isNew: boolean; commit: SyncedCommit }>
  close(): Promise<void>
}

export function createSyncer(settings: GitSyncSettings, ports: SyncerPorts): Syncer {
  const { folder, hooks, metrics, log } = ports
  const known: KnownDigests = new Map()
  const appLogin =
    settings.githubApp &&
    createGithubAppLogin(settings.githubApp, (failed) =>
      metrics.refreshedAppToken(failed ? "error" : "success"),
    )
  /** What the last sync published. */
  let synced: SyncedCommit | undefined
  let isSuspect = false
  let opened: OpenProjection | undefined

  /** The projection, opened again when another program removed what it shows, or its folder. */
  async function openTree(): Promise<OpenProjection> {
    if (opened !== undefined && synced !== undefined && !(await isThere(settings.link, synced))) {
      log.warn(
        { link: settings.link, hash: synced.hash },
        "what was published is gone and is published again",
      )
      const lost = opened
      opened = undefined
      synced = undefined
      await lost.close()
    }
    opened ??= await ports.open()
    return opened
  }

  async function credentials(signal: AbortSignal): Promise<GitCredential[]> {
    const all = [...settings.credentials]
    if (appLogin !== undefined) all.unshift(await appLogin(settings.repo, signal))
    if (settings.askpassUrl === undefined) return all
    try {
      all.unshift(await askPassword(settings.askpassUrl, settings.repo, signal))
      metrics.askedPassword("success")
      return all
    } catch (error) {
      metrics.askedPassword("error")
      throw error
    }
  }

  async function runner(signal: AbortSignal): Promise<GitCommandRunner> {
    const logins = await gitLogins(await credentials(signal))
    const configFile = join(dirname(folder), "gitconfig")
    await writeGitConfigFile(configFile)
    return gitCommandRunner({ settings, folder, configFile, logins, userEnv: ports.userEnv })
  }

  async function publish(
    projection: OpenProjection,
    hash: string,
    git: GitCommandRunner,
    signal: AbortSignal,
  ): Promise<{ isNew: boolean; commit: SyncedCommit }> {
    await checkOut(folder, hash, settings, git, signal)
    const { files, leftOut } = await treeFiles(folder, known)
    if (leftOut.size > 0)
      log.warn({ hash, count: leftOut.size, paths: leftOutText(leftOut) }, "paths are left out")
    const floor = projection.floor()
    const isShown = projection.current()?.id === hash
    // The ref decides, also when it goes back: each commit that comes counts up.
    const token = isShown ? floor : { epoch: floor.epoch, seq: floor.seq + 1 }
    const approve = (staged: string) => hooks.beforePublish({ hash, folder: staged }, signal)
    const result = await projection.publish({ id: hash, token, files, evenIfEqual: true, approve }, signal)
    if (result.outcome === "published") {
      log.info(
        { hash, ref: settings.ref, written: result.filesWritten, linked: result.filesLinked },
        "synced",
      )
    }
    return { isNew: result.outcome === "published", commit: { hash, folder: result.path } }
  }

  async function fetchAndPublish(
    projection: OpenProjection,
    signal: AbortSignal,
  ): Promise<{ isNew: boolean; commit: SyncedCommit }> {
    const before = projection.current()?.id
    const git = await runner(signal)
    const hash = await fetchCommit(folder, settings, git, signal)
    const same = unmoved(projection, hash)
    if (same !== undefined) return { isNew: false, commit: same }
    metrics.fetched()
    const published = await publish(projection, hash, git, signal)
    synced = published.commit
    if (before !== undefined && before !== hash) await tidy(git, signal)
    return published
  }

  /** What was synced, when it is this commit and shown as it was. */
  function unmoved(projection: OpenProjection, hash: string): SyncedCommit | undefined {
    return synced?.hash === hash && !projection.isMoved() ? synced : undefined
  }

  async function tidy(git: GitCommandRunner, signal: AbortSignal): Promise<void> {
    await collectGarbage(settings.gc, git, signal).catch((error: unknown) => {
      signal.throwIfAborted()
      log.warn({ err: error instanceof HeadraceError ? error.message : String(error) }, "git gc failed")
    })
  }

  return {
    async sync(signal) {
      const projection = await openTree()
      // A full id never moves: only what is shown of it is checked.
      const fixed = isFullId(settings.ref) ? unmoved(projection, settings.ref) : undefined
      if (fixed !== undefined) return { isNew: false, commit: fixed }
      if (isSuspect) {
        log.warn({ folder }, "the clone is made again: git could not use it")
        await removeCheckout(folder)
        isSuspect = false
      }
      try {
        return await fetchAndPublish(projection, signal)
      } catch (error) {
        if (!signal.aborted) isSuspect = isOfCheckout(error)
        throw error
      }
    },
    close: async () => opened?.close(),
  }
}

/** True when the link has the commit's folder as its target, or that of another revision that is there. */
async function isThere(link: string, { folder }: SyncedCommit): Promise<boolean> {
  const found = await Promise.all([realpath(link), realpath(folder)]).catch(() => undefined)
  return found !== undefined
}
