import type { Clock } from "@headrace/shared/foundation/clock"
import type { Log } from "@headrace/shared/observe/log"
import type { KeepSettings } from "@headrace/shared/settings/agent-settings"
import type { Disk } from "../disk/disk.ts"
import type { LayoutName } from "../layout/open-layout.ts"
import type { Durability } from "../store/make-durable.ts"
import type { Permissions } from "../store/permissions.ts"

/** How and where to publish. */
export interface OpenProjectionOptions {
  /** Folder to publish in; made when it is not there. */
  path: string
  layout: LayoutName
  durability: Durability | "auto"
  keep: KeepSettings
  log: Log
  /** Name of the link that is moved; `..data` unless given. */
  link?: string
  /** Make links NAME -> LINK/NAME beside it; unless given, when the link is `..data`. */
  visibleLinks?: boolean
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
  disk?: Disk
  clock?: Clock
  signal?: AbortSignal
}
