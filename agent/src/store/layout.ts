import type { Handle } from "../disk/disk.ts"
import type { Slot } from "./store.ts"

/** In layout `exchange`, the manifest inside a directory, which identifies it wherever it is. */
export const IDENTITY_NAME = "..revision.json"

/** How a store's revision becomes what readers see. Each layout has one rename that does it. */
export interface Layout {
  /** Name under which the manifest is inside the directory too; undefined: only beside it. */
  identity?: string
  /** The folders that it works in, open, by the paths that they were opened at. */
  folders: readonly Handle[]
  /** What is shown is a copy of the slot's files, which needs room of its own. */
  copies?: boolean
  /** First path elements that a revision may not use. */
  reserved: readonly string[]
  /** The number that is shown; undefined when nothing is. Throws `publish/foreign-file` when that is not ours. */
  shown(): number | undefined
  /** Ends a move that a crash cut short after the flip, so that every directory is where `content` says. */
  settle(): void
  /** Places where this process has shown a slot and somebody has put something else, through open handles. */
  usurped(slot: Slot): string[]
  /** Where a slot's directory can be read now. */
  content(slot: Slot): string
  /** The same for people and for readers: without our handles. */
  path(slot: Slot): string
  /** Throws before anything is touched when foreign files are where this revision has to show. */
  check(paths: Iterable<string>): void
  /** Shows a slot that is durable; durable itself when it returns. `before` is what is shown now. */
  show(slot: Slot, before: Slot | undefined): Promise<void>
  /** Makes durable what is shown, which a process that died within `show` may not have done. */
  sync(): Promise<void>
  /** True when nothing that belongs to the revision that is shown got lost beside it. */
  isWhole(slot: Slot): boolean
  /** Puts back what belongs to the revision that is shown and got lost beside it. */
  mend(slot: Slot): void
  /** Removes what only older revisions showed. After the report, so a failure is no failure to publish. */
  tidy(slot: Slot): void
  close(): void
}
