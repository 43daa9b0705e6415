import { setTimeout as delay } from "node:timers/promises"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { Log } from "@headrace/shared/observe/log"
import type { Disk, Handle, LockPurpose } from "./disk.ts"

const POLL = 20

export interface LockOptions {
  /** How long to wait for another holder, in milliseconds. */
  wait: number
  signal?: AbortSignal | undefined
  /** What the lock is for, in the message. */
  purpose: string
}

/** A lock that is held. */
export interface HeldLock {
  /**
   * Throws `publish/lost-lock` when the lock's file was removed since: a program that clears temporary folders, or an
   * operator, did it, and another process can hold a lock of the same name by now.
   */
  check(): void
}

/**
 * Takes an exclusive flock, which ends with the handle, for the store in `folder`. Throws `publish/locked` when others
 * keep it.
 */
export async function takeLock(
  disk: Disk,
  handle: Handle,
  folder: Handle,
  options: LockOptions,
): Promise<void> {
  const until = performance.now() + options.wait
  while (!(await disk.lock(handle, "exclusive"))) {
    if (performance.now() >= until) {
      throw new HeadraceError("publish/locked", `another process ${options.purpose} ${folder.path}`, {
        hint: `Stop it; fuser -v ${handle.path} shows it.`,
      })
    }
    await delay(POLL, undefined, options.signal ? { signal: options.signal } : {})
  }
}

/** Runs `action` alone among all processes that change the store in `folder`. */
export async function withStoreLock<T>(
  disk: Disk,
  folder: Handle,
  options: LockOptions,
  action: (lock: HeldLock) => Promise<T>,
): Promise<T> {
  const handle = await openTaken(disk, folder, "change", options)
  try {
    return await action({ check: () => checkLock(disk, handle, folder) })
  } finally {
    disk.close(handle)
  }
}

/** The lock of the one process that publishes to a store. */
export interface WriterLock extends HeldLock {
  /** Takes the lock again where its file was removed. Throws `publish/locked` when another process has it by now. */
  renew(): Promise<void>
  release(): void
}

/** Takes the writer's lock of the store in `folder`, and keeps it until `release`. Throws `publish/locked`. */
export async function takeWriterLock(
  disk: Disk,
  folder: Handle,
  options: LockOptions & { log: Log },
): Promise<WriterLock> {
  let held = await openTaken(disk, folder, "writer", options)
  return {
    check: () => checkLock(disk, held, folder),
    release: () => disk.close(held),
    async renew() {
      if (disk.isAtItsPath(held)) return
      options.log.warn(
        { path: folder.path, lock: held.path },
        "the writer's lock was removed; taking it again",
      )
      const again = await openTaken(disk, folder, "writer", { ...options, wait: 0 })
      disk.close(held)
      held = again
    },
  }
}

/**
 * Opens a lock and takes it: the one that is at its path when it is taken. The file can be removed between opening and
 * locking; then a lock on it keeps no process out that opens the path afterwards.
 */
async function openTaken(
  disk: Disk,
  folder: Handle,
  purpose: LockPurpose,
  options: LockOptions,
): Promise<Handle> {
  for (;;) {
    const handle = disk.openLock(folder, purpose)
    try {
      await takeLock(disk, handle, folder, options)
      if (disk.isAtItsPath(handle)) return handle
    } catch (error) {
      disk.close(handle)
      throw error
    }
    disk.close(handle)
  }
}

function checkLock(disk: Disk, handle: Handle, folder: Handle): void {
  if (disk.isAtItsPath(handle)) return
  throw new HeadraceError("publish/lost-lock", `the lock of ${folder.path} was removed: ${handle.path}`, {
    hint: "Run the command again, or wait for the agent's next attempt: it takes the lock again. Keep programs that clear temporary folders away from there, or set HEADRACE_LOCK_FOLDER.",
  })
}
