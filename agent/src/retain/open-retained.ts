import { systemClock } from "@headrace/shared/foundation/clock"
import type { Log } from "@headrace/shared/observe/log"
import type { Disk } from "../disk/disk.ts"
import { openNodeDisk } from "../disk/node-disk.ts"
import { openExistingLayout } from "../layout/open-layout.ts"
import { changeAlone } from "../store/held-locks.ts"
import { EMPTY_NOTE, readNote } from "../store/note.ts"
import { READ_ONLY } from "../store/permissions.ts"
import type { ProjectionState } from "../store/projection-state.ts"

const LOCK_WAIT = 30_000

export interface RetainedOptions {
  path: string
  link?: string
  log: Log
  signal: AbortSignal
  /** In place of this machine's. */
  disk?: Disk
}

/**
 * Runs `action` on a projection that is there, beside the agent that publishes to it: nothing is recovered and
 * no writer's lock is needed. Throws `publish/no-projection`.
 */
export async function withRetained<T>(
  options: RetainedOptions,
  action: (projection: ProjectionState) => Promise<T>,
): Promise<T> {
  const disk = options.disk ?? openNodeDisk()
  const { store, layout } = openExistingLayout(disk, { ...options, durability: "fsync" })
  try {
    return await action({
      path: options.path,
      disk,
      store,
      layout,
      durability: "fsync",
      // Whom the files should belong to only the settings say.
      permissions: { ...READ_ONLY, uid: null },
      keep: { revisions: 1, age: 0, bytes: Number.POSITIVE_INFINITY },
      breakLeases: false,
      clock: systemClock,
      contents: undefined,
      log: options.log,
      usedBytes: 0,
      shown: undefined,
      note: readNote(store, options.log) ?? EMPTY_NOTE,
      locks: new Set(),
      damaged: new Set(),
      lacksNames: false,
      verifiedAt: Number.NEGATIVE_INFINITY,
      clone: undefined,
      notifyWatchers: undefined,
      changedFolders: { touched: new Map(), at: performance.now() },
    })
  } finally {
    disk.close(store.folder)
    layout.close()
  }
}

/** The same, alone among all that change the projection. */
export async function withRetainedAlone<T>(
  options: RetainedOptions,
  action: (projection: ProjectionState) => Promise<T>,
): Promise<T> {
  return await withRetained(options, async (projection) => {
    const lock = { wait: LOCK_WAIT, signal: options.signal, purpose: "changes" }
    return await changeAlone(projection, lock, async () => {
      projection.note = readNote(projection.store, options.log) ?? EMPTY_NOTE
      return await action(projection)
    })
  })
}
