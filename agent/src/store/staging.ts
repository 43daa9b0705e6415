import { foldersOf } from "@headrace/shared/foundation/folders-of"
import type { Disk, Handle } from "../disk/disk.ts"
import { lookOrNothing } from "../disk/look-or-nothing.ts"
import { removeTree } from "../disk/remove-tree.ts"
import type { ManifestFile } from "./manifest.ts"
import type { Permissions } from "./permissions.ts"
import { STAGING_PREFIX, type Store, uniqueName } from "./store.ts"

const FOLDER_MODE = 0o755
/** In a staging folder, the directory that is to become the revision's. */
export const STAGED_CONTENT = "files"

/** A revision in the making, under `.staging-*`; readable, since consumers walk the whole projection. */
export interface Staging {
  store: Store
  name: string
  /** Locked while its maker lives, so that another process's recovery leaves it alone. */
  folder: Handle
  /** The staging folder, for operations. */
  path: string
  /** The directory that is to become the revision's. */
  content: string
  files: Map<string, ManifestFile>
  /** Folders within the content, `""` for itself. */
  folders: Set<string>
  /** Folders whose entries are not yet durable. */
  unsynced: Set<string>
  /** Files on their way to the device; each ends, closed, whatever becomes of it. */
  syncing: Set<Promise<void>>
  /** What went wrong with those that have ended. */
  failed: unknown[]
  /** How each folder was when the staging was made ready to wait; undefined before that. */
  waitsSince?: Map<string, string | undefined>
}

/** Makes an empty staging folder. The caller holds the projection's lock. */
export async function openStaging(store: Store, permissions: Permissions): Promise<Staging> {
  const { disk } = store
  const name = uniqueName(STAGING_PREFIX)
  disk.makeDirectory(`${store.work.path}/${name}`, FOLDER_MODE)
  const folder = disk.openDirectory(`${store.work.path}/${name}`)
  const path = disk.within(folder)
  const staging: Staging = {
    store,
    name,
    folder,
    path,
    content: `${path}/${STAGED_CONTENT}`,
    files: new Map(),
    folders: new Set([""]),
    unsynced: new Set([""]),
    syncing: new Set(),
    failed: [],
  }
  try {
    await disk.lock(folder, "exclusive")
    makeFolder(disk, staging.content, permissions)
    return staging
  } catch (error) {
    await discardStaging(staging)
    throw error
  }
}

/** Syncs a file in the background, and closes it. makeDurable reports what goes wrong. */
export function syncAndClose(staging: Staging, file: Handle): void {
  const { disk } = staging.store
  const ended: Promise<void> = disk
    .sync(file)
    .catch((error: unknown) => void staging.failed.push(error))
    .then(() => disk.close(file))
    .catch((error: unknown) => void staging.failed.push(error))
    .finally(() => staging.syncing.delete(ended))
  staging.syncing.add(ended)
}

/** Makes the folders above a path that are not there yet. */
export function makeFoldersOf(staging: Staging, path: string, permissions: Permissions): void {
  let parent = ""
  for (const folder of foldersOf(path)) {
    if (!staging.folders.has(folder)) {
      makeFolder(staging.store.disk, `${staging.content}/${folder}`, permissions)
      staging.folders.add(folder)
      staging.unsynced.add(folder)
      staging.unsynced.add(parent)
    }
    parent = folder
  }
}

/** `a/b` for `a/b/c`, `""` for `a`. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")))
}

/** Takes a staged file away again. */
export function removeStaged(staging: Staging, path: string): void {
  staging.store.disk.unlink(`${staging.content}/${path}`)
  staging.files.delete(path)
  staging.unsynced.add(folderOf(path))
}

/** Removes folders that hold nothing any more: a revision has a folder only for its files. */
export function removeEmptyFolders(staging: Staging): void {
  const needed = new Set([""])
  for (const path of staging.files.keys()) for (const folder of foldersOf(path)) needed.add(folder)
  const empty = [...staging.folders].filter((folder) => !needed.has(folder))
  // Longest first: a folder goes before the one that it is in.
  for (const folder of empty.sort((a, b) => b.length - a.length)) {
    staging.store.disk.removeDirectory(`${staging.content}/${folder}`)
    staging.folders.delete(folder)
    staging.unsynced.delete(folder)
    staging.unsynced.add(folderOf(folder))
  }
}

/** Remembers how the folders of a staging are that is not used yet. */
export function beginToWait(staging: Staging): void {
  staging.waitsSince = statesOfFolders(staging)
}

/**
 * True when no name of a staging that has waited came, went or was replaced, and no folder's attributes changed. A change of
 * names in the tick of the kernel's clock (4 ms with HZ=250) in which the waiting began can stay unseen.
 */
export function isUntouched(staging: Staging): boolean {
  const { waitsSince } = staging
  if (waitsSince === undefined) return true
  return [...statesOfFolders(staging)].every(([folder, state]) => waitsSince.get(folder) === state)
}

function statesOfFolders({ store, content, folders }: Staging): Map<string, string | undefined> {
  return new Map([...folders].map((folder) => [folder, stateOf(store.disk, `${content}/${folder}`)]))
}

/** What changes when a folder is replaced, or a name in it (inode(7), st_ctim). */
function stateOf(disk: Disk, path: string): string | undefined {
  const found = lookOrNothing(disk, path)
  return found && [found.kind, found.device, found.inode, found.changed].join(" ")
}

/** Gives up a staged revision. What cannot be removed now is a leftover for the next recovery. */
export async function discardStaging(staging: Staging): Promise<void> {
  const { disk, work } = staging.store
  await Promise.all(staging.syncing)
  try {
    await removeTree(disk, `${work.path}/${staging.name}`)
  } finally {
    disk.close(staging.folder)
  }
}

function makeFolder(disk: Disk, path: string, permissions: Permissions): void {
  disk.makeDirectory(path, permissions.directory)
  if (permissions.uid === undefined && permissions.gid === undefined) return
  const folder = disk.openDirectory(path)
  try {
    disk.setOwner(folder, permissions.uid ?? -1, permissions.gid ?? -1)
    disk.setMode(folder, permissions.directory)
  } finally {
    disk.close(folder)
  }
}
