import type { ByteRoom } from "@headrace/shared/foundation/byte-room"
import type { Clock } from "@headrace/shared/foundation/clock"
import type { Log } from "@headrace/shared/observe/log"
import type { KeepSettings } from "@headrace/shared/settings/agent-settings"
import type { Disk } from "../disk/disk.ts"
import type { HeldLock } from "../disk/lock-projection.ts"
import type { Layout } from "./layout.ts"
import type { Durability } from "./make-durable.ts"
import type { ManifestFile } from "./manifest.ts"
import type { Note } from "./note.ts"
import type { Permissions } from "./permissions.ts"
import type { Staging } from "./staging.ts"
import type { Slot, Store } from "./store.ts"

/** A slot with its files by path. */
export interface ShownSlot extends Slot {
  files: Map<string, ManifestFile>
  /** By path, what `changed` was when the content was last read; kept where another user owns the files. */
  readAt: Map<string, number>
}

/** An open projection, as the parts of publishing share it. */
export interface ProjectionState {
  /** The folder that it is shown at. */
  path: string
  disk: Disk
  store: Store
  layout: Layout
  durability: Durability | "auto"
  permissions: Permissions
  keep: KeepSettings
  /** Prune leased revisions too when the size cap is reached. */
  breakLeases: boolean
  clock: Clock
  /** Room for contents of files, over all projections; undefined: as much as there is. */
  contents: ByteRoom | undefined
  log: Log
  /** Bytes of all slots, an inode counted once; as of the last look. */
  usedBytes: number
  /** What is shown now. */
  shown: ShownSlot | undefined
  note: Note
  /** What this process holds now, to change the projection (held-locks.ts). */
  locks: Set<HeldLock>
  /** Paths of `shown` that are not what its manifest says: the next publish rewrites them. */
  damaged: Set<string>
  /** A name that readers use beside the revision is gone: the next publish puts it back. */
  lacksNames: boolean
  /** When all files of `shown` were last verified, by performance.now(). */
  verifiedAt: number
  /** The mode that a folder of a revision had when this process made one; a file system may give another than is wanted. */
  folderMode?: number | undefined
  /** A clone of `shown`, made while idle. */
  clone: Staging | undefined
  /** Notifies watchers of what the last flip has retired; undefined when that is done. Never fails. */
  notifyWatchers: (() => Promise<void>) | undefined
  /**
   * Folders that flips have changed since those of all kept revisions were touched, at `at` by performance.now(); each with
   * the content in which it was touched at its last flip, "" where that failed.
   */
  changedFolders: { touched: Map<string, string>; at: number }
}

/** Indexes a slot's files. */
export function shownSlot(slot: Slot): ShownSlot {
  return { ...slot, readAt: new Map(), files: new Map(slot.manifest.files.map((file) => [file.path, file])) }
}
