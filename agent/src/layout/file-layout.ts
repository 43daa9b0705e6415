import { sha256 } from "@headrace/shared/foundation/digest"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { FileStatus, Handle } from "../disk/disk.ts"
import { lookOrNothing } from "../disk/look-or-nothing.ts"
import { removeTree } from "../disk/remove-tree.ts"
import type { Layout } from "../store/layout.ts"
import { type Durability, syncFolder } from "../store/make-durable.ts"
import type { ManifestFile } from "../store/manifest.ts"
import {
  LINK_PREFIX,
  NOTE_NAME,
  readableSlots,
  type Slot,
  type Store,
  slotContent,
  slotName,
  slotNumbers,
  uniqueName,
} from "../store/store.ts"
import { foreignFile } from "./foreign-file.ts"

export interface FileOptions {
  store: Store
  /** The folder that contains the file, open. */
  parent: Handle
  name: string
  durability: Durability | "auto"
  /** The sha256 of what this process has published there, in a store that may be gone. */
  published?: string | undefined
}

/**
 * Layout `file`: one file (a manifest, an executable), replaced whole by one rename and never written in place,
 * so a running executable can be replaced (no ETXTBSY) and a reader has the old one or the new. The temporary
 * lies in the store, where a watcher of the folder does not take it for the real thing; the file is a copy, so
 * that who edits it in place does not edit the store.
 */
export function openFileLayout(options: FileOptions): Layout {
  const { store, parent, name, durability, published } = options
  const { disk } = store
  const at = `${disk.within(parent)}/${name}`
  const path = `${parent.path}/${name}`
  let known: { key: string; number: number } | undefined

  function shown(): number | undefined {
    const found = disk.look(at)
    if (!found) return undefined
    if (found.kind !== "file") throw foreignFile(path, "is no file")
    const key = keyOf(found)
    if (known?.key === key) return known.number
    const digest = sha256(disk.read(at))
    if (!hasPublished(store)) {
      // The store was removed beneath us: the file is still what we have published.
      if (digest === published) return undefined
      throw foreignFile(path, "was not published")
    }
    const slots = readableSlots(store).reverse()
    // Undefined for a file that somebody has edited: it is ours, and the next look of recovery replaces it.
    const number = slots.find(
      (slot) => isFile(onlyFile(slot), digest, found.mode) && isOwnedAs(slot, found),
    )?.number
    known = number === undefined ? undefined : { key, number }
    return number
  }

  function sourceOf(slot: Slot): string {
    return `${slotContent(store, slot)}/${onlyFile(slot).path}`
  }

  /** True when the copy belongs to those that the slot's own file belongs to, or that file is gone. */
  function isOwnedAs(slot: Slot, { uid, gid }: FileStatus): boolean {
    const source = lookOrNothing(disk, sourceOf(slot))
    return source === undefined || (source.uid === uid && source.gid === gid)
  }

  async function copyTo(draft: string, slot: Slot): Promise<void> {
    const file = onlyFile(slot)
    const source = sourceOf(slot)
    const handle = disk.createFile(draft)
    try {
      disk.write(handle, disk.read(source))
      const owner = disk.look(source)
      if (owner) disk.setOwner(handle, owner.uid, owner.gid)
      disk.setMode(handle, file.mode)
      if (durability !== "none") await disk.sync(handle)
    } finally {
      // Before the rename: execve(2) of a file that is open for writing fails with ETXTBSY.
      disk.close(handle)
    }
  }

  return {
    folders: [parent],
    copies: true,
    reserved: [],
    shown,
    settle: () => undefined,
    usurped: () => (["file", undefined].includes(disk.look(at)?.kind) ? [] : [at]),
    content: (slot) => slotContent(store, slot),
    path: () => path,
    check: (paths) => {
      const names = [...paths]
      if (names.length === 1) return
      throw new HeadraceError("publish/bad-revision", `${path} takes exactly one file, not ${names.length}`, {
        hint: "Choose layout links or exchange for several files.",
      })
    },
    show: async (slot, before) => {
      if (before && before.number !== slot.number) disk.touch(`${store.path}/${slotName(before.number)}`)
      const draft = `${store.path}/${uniqueName(LINK_PREFIX)}`
      known = undefined
      try {
        await copyTo(draft, slot)
        disk.rename(draft, at)
      } catch (error) {
        // On a full disk the copies of all attempts would keep it full.
        await removeTree(disk, draft).catch(() => undefined)
        throw error
      }
      const found = disk.look(at)
      if (found) known = { key: keyOf(found), number: slot.number }
      await syncFolder(disk, parent, durability)
    },
    sync: () => syncFolder(disk, parent, durability),
    isWhole: () => true,
    mend: () => undefined,
    tidy: () => undefined,
    close: () => disk.close(parent),
  }
}

/** Who owns the file can set its modification time back, but not `changed`. */
function keyOf({ inode, modified, changed, size, mode, uid, gid }: FileStatus): string {
  return [inode, modified, changed, size, mode, uid, gid].join(" ")
}

function onlyFile(slot: Slot): ManifestFile {
  const [file] = slot.manifest.files
  if (file && slot.manifest.files.length === 1) return file
  throw new HeadraceError("publish/bad-revision", `revision ${slot.number} does not hold exactly one file`)
}

/** True when the store knows of any publish, even if all its manifests are damaged. */
function hasPublished(store: Store): boolean {
  return slotNumbers(store).length > 0 || store.disk.look(`${store.path}/${NOTE_NAME}`) !== undefined
}

function isFile(file: ManifestFile, digest: string, mode: number): boolean {
  return file.sha256 === digest && file.mode === mode
}
