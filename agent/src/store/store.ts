import { randomBytes } from "node:crypto"
import { hasCode } from "@headrace/shared/foundation/errors"
import type { Disk, FileStatus, Handle } from "../disk/disk.ts"
import { type Manifest, type ManifestFile, parseManifest } from "./manifest.ts"
import { MANIFEST_NAME } from "./manifest-name.ts"

export const STAGING_PREFIX = ".staging-"
export const TWINS_PREFIX = ".twins-"
export const TRASH_PREFIX = ".trash-"
export const LINK_PREFIX = ".link-"
export const NOTE_PREFIX = ".note-"
/** Where format 1 had its lock: a file that readers could open, and so hold. */
export const LOCK_NAME = "lock"
export const NOTE_NAME = "published.json"

const NUMBER_DIGITS = 4
const NUMBERED = /^\d{4,15}$/

/** The folder that contains a projection's revisions: `..rev`, or a sibling of the projection. */
export interface Store {
  disk: Disk
  /** Kept open: paths go through it, and syncfs reports errors since it was opened. */
  folder: Handle
  /** The folder, for operations (through the handle). */
  path: string
  /** Whose manifests and notes count; absent: anybody's, for who only looks. */
  trusts?: (uid: number) => boolean
  /** Where things are in the making, and removed: the store itself, or a folder that readers do not see. */
  work: { folder: Handle; path: string }
  /** Slots as they were read, with inode and time of their manifest. */
  known: Map<number, { stamp: string; slot: Slot }>
  /** Names of what could not be removed, and was named in the log. */
  resisting: Set<string>
}

/** One numbered place of the store: `0042/`, with the manifest and the directory of the revision in it. */
export interface Slot {
  number: number
  manifest: Manifest
}

/** `42` gives `0042`. */
export function slotName(number: number): string {
  return String(number).padStart(NUMBER_DIGITS, "0")
}

/** Numbers of all slots, whole or not, smallest first. */
export function slotNumbers(store: Pick<Store, "disk" | "path">): number[] {
  return store.disk
    .list(store.path)
    .filter((name) => NUMBERED.test(name) && slotName(Number(name)) === name)
    .map(Number)
    .sort((a, b) => a - b)
}

/** Where a slot keeps its revision's directory. */
export function slotContent(store: Store, slot: Slot): string {
  return `${store.path}/${slotName(slot.number)}/${slot.manifest.revision}`
}

/** True for a file of ours, by its owner: a user to whom we have given a folder may put files there too. */
export function isOurFile(
  { trusts }: Pick<Store, "trusts">,
  found: FileStatus | undefined,
): found is FileStatus {
  return found?.kind === "file" && (trusts === undefined || trusts(found.uid))
}

/** Undefined when there is no manifest, or none of ours. Throws `publish/bad-manifest`, `publish/newer-format`. */
export function readSlot(store: Store, number: number): Slot | undefined {
  const path = `${store.path}/${slotName(number)}/${MANIFEST_NAME}`
  const found = store.disk.look(path)
  if (!isOurFile(store, found)) return undefined
  const stamp = `${found.inode} ${found.modified}`
  const known = store.known.get(number)
  if (known?.stamp === stamp) return known.slot
  const name = `${store.folder.path}/${slotName(number)}/${MANIFEST_NAME}`
  const manifest = parseManifest(store.disk.read(path).toString("utf8"), name)
  const slot = { number, manifest: shareEntries(manifest, store.known.get(number - 1)?.slot.manifest) }
  store.known.set(number, { stamp, slot })
  return slot
}

/**
 * Takes the entries that are equal in the revision before from there: revisions differ in few files, and each
 * of the many that a busy projection keeps would else hold a megabyte for 5,000 of them.
 */
function shareEntries(manifest: Manifest, before: Manifest | undefined): Manifest {
  if (before === undefined) return manifest
  const byPath = new Map(before.files.map((file) => [file.path, file]))
  const files = manifest.files.map((file) => {
    const other = byPath.get(file.path)
    return other !== undefined && isSameEntry(file, other) ? other : file
  })
  return { ...manifest, files }
}

function isSameEntry(a: ManifestFile, b: ManifestFile): boolean {
  return (
    a.sha256 === b.sha256 &&
    a.mode === b.mode &&
    a.size === b.size &&
    a.inode === b.inode &&
    a.modified === b.modified
  )
}

/**
 * All slots with a manifest that can be read, smallest number first: one that the disk does not give now is not among
 * them, and is no reason to remove it (isUnreadable). Throws `publish/newer-format`.
 */
export function readableSlots(store: Store): Slot[] {
  const slots: Slot[] = []
  for (const number of slotNumbers(store)) {
    try {
      const slot = readSlot(store, number)
      if (slot) slots.push(slot)
    } catch (error) {
      if (!hasCode(error, "publish/bad-manifest") && !hasCode(error, "disk/")) throw error
    }
  }
  return slots
}

/** True when the disk does not give a slot's manifest now: whether it is whole is not known. */
export function isUnreadable(store: Store, number: number): boolean {
  try {
    readSlot(store, number)
    return false
  } catch (error) {
    return hasCode(error, "disk/")
  }
}

/** Bytes of the files of all slots; what several share by hard links counts once. */
export function storeBytes(store: Store): number {
  const counted = new Set<number>()
  let bytes = 0
  for (const { manifest } of readableSlots(store)) {
    for (const { inode, size } of manifest.files) {
      if (counted.has(inode)) continue
      counted.add(inode)
      bytes += size
    }
  }
  return bytes
}

/** A unique name: leftovers of a crash can never be in the way. */
export function uniqueName(prefix: string): string {
  return `${prefix}${process.pid}-${randomBytes(6).toString("hex")}`
}

/** A text with all unique names alike: what fails at each try fails at another name. */
export function withNamesAlike(text: string): string {
  return text.replace(/\d+-[0-9a-f]{12}(?![0-9a-f])/g, "")
}
