import { setTimeout as delay } from "node:timers/promises"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { Disk, Handle } from "./disk.ts"

const POLL = 20

export interface LockOptions {
  /** How long to wait for another holder, in milliseconds. */
  wait: number
  signal?: AbortSignal | undefined
  /** What the lock is for, in the message. */
  purpose: string
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
  action: () => Promise<T>,
): Promise<T> {
  const handle = disk.openLock(folder, "change")
  try {
    await takeLock(disk, handle, folder, options)
    return await action()
  } finally {
    disk.close(handle)
  }
}
