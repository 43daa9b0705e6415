import type { ByteRoom } from "@headrace/shared/foundation/byte-room"
import { type Clock, systemClock } from "@headrace/shared/foundation/clock"
import type { Log } from "@headrace/shared/observe/log"
import type { KeepSettings } from "@headrace/shared/settings/agent-settings"
import type { Disk, Handle } from "../disk/disk.ts"
import { type LockOptions, takeWriterLock, type WriterLock } from "../disk/lock-projection.ts"
import { openNodeDisk } from "../disk/node-disk.ts"
import { type LayoutName, openLayout } from "../layout/open-layout.ts"
import { prune } from "../retain/prune.ts"
import { changeAlone } from "../store/held-locks.ts"
import type { Durability } from "../store/make-durable.ts"
import { EMPTY_NOTE, withFloors } from "../store/note.ts"
import type { Floors } from "../store/origin.ts"
import { type Permissions, READ_ONLY } from "../store/permissions.ts"
import type { ProjectionState } from "../store/projection-state.ts"
import { type Slot, storeBytes } from "../store/store.ts"
import { recover } from "./recover.ts"
import { upgradeNote } from "./upgrade-note.ts"
import { freeStorePlace, removeUsurpers } from "./usurpers.ts"

/** How and where to publish. */
export interface OpenProjectionOptions {
  /** Folder to publish in; made when it is not there. */
  path: string
  layout: LayoutName
  durability: Durability | "auto"
  keep: KeepSettings
  log: Log
  /** Room for contents of files, over all projections; absent: as much as there is. */
  contents?: ByteRoom | undefined
  /** Name of the link that is moved; `..data` unless given. */
  link?: string
  /** Make links NAME -> LINK/NAME beside it; unless given, when the link is `..data`. */
  visibleLinks?: boolean
  /** Layout links: visible links to files in real folders, for readers that follow no link to a folder. */
  linksEachFile?: boolean
  /** True for the target of a link that another program made and that may be replaced. */
  takesOver?: (target: string) => boolean
  /** True when a file at the place of a visible link may be replaced: another program wrote it and is gone. */
  takesOverFiles?: boolean
  /** True for the target of another program's visible link that a publish may replace. */
  takesOverNames?: (target: string) => boolean
  /** A folder of the same file system, that readers do not see, for what is in the making. */
  workFolder?: string | undefined
  permissions?: Partial<Permissions>
  /** Prune leased revisions too when the size cap is reached. */
  breakLeases?: boolean
  /** Keep a clone of what is shown staged while idle; on unless given. */
  prestage?: boolean
  /** Check what is shown by reading all of it when opening; on unless given. */
  verify?: boolean
  /** How long to wait for another process, in milliseconds. */
  lockWait?: number
  /** How often to look whether a revision that was leased is free, in milliseconds; 10 s unless given. */
  lookEvery?: number
  /** Milliseconds from a flip until watchers of inodes are notified; tests have no watchers to wait for. */
  notifyAfter?: number
  /** What this process knows of a projection that was at the path before. */
  carried?: Carried | undefined
  disk?: Disk
  clock?: Clock
  signal?: AbortSignal
}

/** Kept while a projection is opened again at a path that leads to another folder by now. */
export interface Carried {
  floors: Floors
  /** The sha256 of the one file of layout `file`. */
  published: string | undefined
  /** What it has shown in the same folder, which only its store has left: what is in its place now is replaced. */
  shown: Slot | undefined
}

const LOCK_WAIT = 10_000

export interface Claimed {
  projection: ProjectionState
  /** For each change, against other processes. */
  lock: LockOptions
  /** Against other processes that publish; renewed before each change. */
  writer: WriterLock
  /** Closes what is open, and gives the writer's lock back with it. */
  release(): void
}

/** Opens a projection as its only writer: locked, recovered, pruned. */
export async function claimProjection(options: OpenProjectionOptions): Promise<Claimed> {
  const disk = options.disk ?? openNodeDisk()
  const carried = options.carried?.shown
  if (carried) freeStorePlace(disk, options)
  const { store, layout } = await openLayout(disk, {
    ...options,
    published: options.carried?.published,
    owner: options.permissions?.uid,
  })
  const projection: ProjectionState = {
    path: options.path,
    disk,
    store,
    layout,
    durability: options.durability,
    permissions: { ...READ_ONLY, ...options.permissions },
    keep: options.keep,
    breakLeases: options.breakLeases ?? false,
    clock: options.clock ?? systemClock,
    contents: options.contents,
    log: options.log,
    usedBytes: 0,
    shown: undefined,
    note: EMPTY_NOTE,
    locks: new Set(),
    damaged: new Set(),
    lacksNames: false,
    verifiedAt: Number.NEGATIVE_INFINITY,
    clone: undefined,
    notifyWatchers: undefined,
    changedFolders: { touched: new Map(), at: performance.now() },
  }
  const lock: LockOptions = { wait: options.lockWait ?? LOCK_WAIT, signal: options.signal, purpose: "writes" }
  const open: Handle[] =
    store.work.folder === store.folder ? [store.folder] : [store.folder, store.work.folder]
  let writer: WriterLock | undefined
  function release(): void {
    for (const close of [
      ...open.map((handle) => () => disk.close(handle)),
      layout.close,
      () => writer?.release(),
    ]) {
      try {
        close()
      } catch (error) {
        // Nothing was written through it, and it is closed (man 2 close).
        options.log.warn({ err: error, path: options.path }, "a folder could not be closed")
      }
    }
  }
  try {
    writer = await takeWriterLock(disk, store.folder, { ...lock, log: options.log })
    projection.locks.add(writer)
    // A read-only file system is named now, and not by the first publish.
    disk.touch(`${store.path}/.`)
    await changeAlone(projection, lock, async () => {
      projection.note = withFloors(await upgradeNote(projection, lock), options.carried?.floors)
      if (carried) await removeUsurpers(projection, carried)
      await recover(projection, { digests: options.verify ?? true })
      await prune(projection)
      projection.usedBytes = storeBytes(store)
    })
  } catch (error) {
    release()
    throw error
  }
  return { projection, lock, writer, release }
}
