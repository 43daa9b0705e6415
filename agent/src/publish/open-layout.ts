import { dirname, resolve } from "node:path"
import { HeadraceError, UsageError } from "@headrace/shared/foundation/errors"
import type { Disk, Handle } from "./disk.ts"
import type { Layout } from "./layout.ts"
import { openLinksLayout, STORE_NAME } from "./links-layout.ts"
import { type Durability, syncFolder } from "./make-durable.ts"
import type { Store } from "./store.ts"

const FOLDER_MODE = 0o755

export interface LayoutOptions {
  path: string
  layout: "links"
  durability: Durability | "auto"
  link?: string
  visibleLinks?: boolean
}

/** Opens a projection's folder and its store, making both durably where they are not there. */
export async function openLayout(
  disk: Disk,
  options: LayoutOptions,
): Promise<{ store: Store; layout: Layout }> {
  const path = resolve(options.path)
  await makeFolders(disk, path, options.durability)
  const root = disk.openDirectory(`${path}/.`)
  try {
    const store = await openStore(disk, root, STORE_NAME, options.durability)
    return { store, layout: linksLayout(store, root, options) }
  } catch (error) {
    disk.close(root)
    throw error
  }
}

function linksLayout(store: Store, root: Handle, options: LayoutOptions): Layout {
  const link = options.link ?? "..data"
  const visible = options.visibleLinks ?? link === "..data"
  return openLinksLayout({ store, root, link, visible, durability: options.durability })
}

/** Opens a projection that is there, to look at it or to move it; nothing is made. Throws `publish/no-projection`. */
export function openExistingLayout(disk: Disk, options: LayoutOptions): { store: Store; layout: Layout } {
  const path = resolve(options.path)
  if (disk.look(`${path}/${STORE_NAME}`)?.kind !== "directory") {
    throw new UsageError("publish/no-projection", `${options.path} is no projection`, {
      hint: `Give the folder that holds ${STORE_NAME}.`,
    })
  }
  const root = disk.openDirectory(`${path}/.`)
  const folder = disk.openDirectory(`${disk.within(root)}/${STORE_NAME}`)
  const store = { disk, folder, path: disk.within(folder), known: new Map() }
  return { store, layout: linksLayout(store, root, options) }
}

/** Makes a folder and those above it, each entry durable in the one above. */
async function makeFolders(disk: Disk, path: string, durability: Durability | "auto"): Promise<void> {
  if (disk.look(`${path}/.`)) return
  const parent = dirname(path)
  await makeFolders(disk, parent, durability)
  disk.makeDirectory(path, FOLDER_MODE)
  const folder = disk.openDirectory(`${parent}/.`)
  try {
    await syncFolder(disk, folder, durability)
  } finally {
    disk.close(folder)
  }
}

async function openStore(
  disk: Disk,
  root: Handle,
  name: string,
  durability: Durability | "auto",
): Promise<Store> {
  const path = `${disk.within(root)}/${name}`
  const isNew = !disk.look(path)
  if (isNew) {
    disk.makeDirectory(path, FOLDER_MODE)
    await syncFolder(disk, root, durability)
  }
  checkStore(disk, `${disk.within(root)}/.`, path, `${root.path}/${name}`)
  const folder = disk.openDirectory(path)
  // ext4 does not reuse an inode within minutes of its removal, and looks for others past all of those in the
  // same block group (fs/ext4/ialloc.c, recently_deleted): next to a pruned revision 5,000 new files cost 1.5 s.
  if (isNew) disk.spread(folder)
  return { disk, folder, path: disk.within(folder), known: new Map() }
}

function checkStore(disk: Disk, root: string, path: string, name: string): void {
  const found = disk.look(path)
  const fault = (what: string, hint: string) =>
    new HeadraceError("publish/foreign-store", `${name} ${what}`, { hint })
  if (found?.kind !== "directory") {
    throw fault("is not a folder", "Move it away: revisions are kept at that place.")
  }
  if (found.device !== disk.look(root)?.device) {
    throw fault(
      "is on another file system",
      "Revisions are shown by a rename, which stays on one file system.",
    )
  }
  const user = process.geteuid?.()
  if (user !== undefined && user !== 0 && user !== found.uid) {
    throw fault(`belongs to user ${found.uid}`, `Run as that user, or give the folder to user ${user}.`)
  }
}
