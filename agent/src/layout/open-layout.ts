import { basename, dirname, relative, resolve } from "node:path"
import { HeadraceError, UsageError } from "@headrace/shared/foundation/errors"
import { madeByStranger } from "@headrace/shared/foundation/made-by-stranger"
import type { Disk, Handle } from "../disk/disk.ts"
import { errnoOf } from "../disk/disk-error.ts"
import { lookOrNothing } from "../disk/look-or-nothing.ts"
import type { Layout } from "../store/layout.ts"
import { type Durability, syncFolder } from "../store/make-durable.ts"
import { STAGING_PREFIX, type Store, uniqueName } from "../store/store.ts"
import { openExchangeLayout } from "./exchange-layout.ts"
import { openFileLayout } from "./file-layout.ts"
import { openLinksLayout, STORE_NAME } from "./links-layout.ts"

const FOLDER_MODE = 0o755

export type LayoutName = "links" | "exchange" | "file"

export interface LayoutOptions {
  path: string
  layout: LayoutName
  durability: Durability | "auto"
  /** Layout links: a name, or a path from `path` or absolute to another folder, without links in it. */
  link?: string
  visibleLinks?: boolean
  /** Layout links: links to files in real folders, and none to a folder. */
  linksEachFile?: boolean
  /** Layout file: the sha256 of what this process has published at the path. */
  published?: string | undefined
  /** A folder of the same file system, for what is in the making; otherwise it is in the store. */
  workFolder?: string | undefined
  /** Whom published files are given to: that user's folders are trusted too. */
  owner?: number | null | undefined
  /** Layout links: true for the target of a link that another program made and that may be replaced. */
  takesOver?: (target: string) => boolean
  /** Layout links: true when a file at the place of a visible link may be replaced. */
  takesOverFiles?: boolean
  /** Layout links: true for the target of another program's visible link that a publish may replace. */
  takesOverNames?: (target: string) => boolean
}

interface Opened {
  store: Store
  layout: Layout
}

/** Opens a projection's folder and its store, making both durably where they are not there. */
export async function openLayout(disk: Disk, options: LayoutOptions): Promise<Opened> {
  const path = resolve(options.path)
  const folder = options.layout === "links" ? path : dirname(path)
  checkWay(disk, folder, options.owner)
  await makeFolders(disk, folder, options.durability)
  const root = disk.openDirectory(`${folder}/.`)
  let store: Store | undefined
  try {
    checkMountPoint(disk, path, options.layout)
    if (options.layout === "links") checkFolder(disk, root, options.owner)
    const name = options.layout === "links" ? STORE_NAME : siblingStore(path)
    store = await openStore(disk, root, name, options)
    if (options.workFolder !== undefined) await useWorkFolder(store, options.workFolder, options)
    const linkFolder = dirname(resolve(path, options.link ?? STORE_NAME))
    if (options.layout === "links") await makeFolders(disk, linkFolder, options.durability)
    if (options.layout === "links" && options.visibleLinks) checkLinkFolder(disk, linkFolder, options.owner)
    return { store, layout: layoutIn(store, root, { ...options, path }) }
  } catch (error) {
    // An opening that fails is tried again for ever: it must leave no handle behind.
    if (store !== undefined)
      for (const handle of new Set([store.folder, store.work.folder])) disk.close(handle)
    disk.close(root)
    throw error
  }
}

/**
 * Opens a projection that is there, whatever its layout, to look at it or to move it; nothing is made. Throws
 * `publish/no-projection`.
 */
export function openExistingLayout(disk: Disk, options: Omit<LayoutOptions, "layout">): Opened {
  const path = resolve(options.path)
  const layout = layoutAt(disk, path)
  const folder = layout === "links" ? path : dirname(path)
  const root = disk.openDirectory(`${folder}/.`)
  try {
    const name = layout === "links" ? STORE_NAME : siblingStore(path)
    const handle = disk.openDirectory(`${disk.within(root)}/${name}`)
    const own = { folder: handle, path: disk.within(handle) }
    const store = {
      disk,
      ...own,
      work: own,
      known: new Map(),
      resisting: new Set<string>(),
    }
    return { store, layout: layoutIn(store, root, { ...options, layout, path }) }
  } catch (error) {
    disk.close(root)
    throw error
  }
}

function layoutAt(disk: Disk, path: string): LayoutName {
  if (disk.look(`${path}/${STORE_NAME}`)?.kind === "directory") return "links"
  if (disk.look(`${dirname(path)}/${siblingStore(path)}`)?.kind === "directory") {
    return disk.look(path)?.kind === "file" ? "file" : "exchange"
  }
  throw new UsageError("publish/no-projection", `${path} is no projection`, {
    hint: `Give the folder that holds ${STORE_NAME}, or the place beside ${siblingStore(path)}.`,
  })
}

function layoutIn(store: Store, root: Handle, options: LayoutOptions): Layout {
  const { durability, path } = options
  const { disk } = store
  if (options.layout === "exchange")
    return openExchangeLayout({ store, parent: root, name: basename(path), durability })
  if (options.layout === "file") {
    const { published } = options
    return openFileLayout({ store, parent: root, name: basename(path), durability, published })
  }
  const link = options.link ?? "..data"
  const folder = dirname(resolve(path, link))
  return openLinksLayout({
    store,
    root,
    link: basename(link),
    place:
      folder === path ? undefined : { folder: disk.openDirectory(`${folder}/.`), up: relative(folder, path) },
    visible: options.visibleLinks ?? link === "..data",
    takesOver: options.takesOver,
    linksEachFile: options.linksEachFile,
    takesOverFiles: options.takesOverFiles,
    takesOverNames: options.takesOverNames,
    durability,
  })
}

/** Where layouts `exchange` and `file` keep revisions: beside what they show, on the same file system. */
export function siblingStore(path: string): string {
  return `.headrace-${basename(path)}`
}

/** The folder of a projection's revisions. */
export function storePlace(path: string, layout: LayoutName): string {
  const absolute = resolve(path)
  return layout === "links" ? `${absolute}/${STORE_NAME}` : `${dirname(absolute)}/${siblingStore(absolute)}`
}

function checkMountPoint(disk: Disk, path: string, layout: LayoutName): void {
  const found = layout === "links" ? undefined : disk.look(path)
  if (!found || found.device === disk.look(`${dirname(path)}/.`)?.device) return
  throw new HeadraceError("publish/mount-point", `${path} is a mount point, which no rename can replace`, {
    hint: "Project to a folder inside the mount, or use layout links.",
  })
}

/** Makes a folder and those above it, each entry durable in the one above. */
export async function makeFolders(disk: Disk, path: string, durability: Durability | "auto"): Promise<void> {
  if (disk.look(`${path}/.`)) return
  const parent = dirname(path)
  await makeFolders(disk, parent, durability)
  try {
    disk.makeDirectory(path, FOLDER_MODE)
  } catch (error) {
    // Another projection in the same folder is being opened; its sync of the entry is not awaited, so ours follows.
    if (errnoOf(error) !== "EEXIST") throw error
  }
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
  { durability, owner }: Pick<LayoutOptions, "durability" | "owner">,
): Promise<Store> {
  const path = `${disk.within(root)}/${name}`
  const isNew = !disk.look(path)
  if (isNew) {
    disk.makeDirectory(path, FOLDER_MODE)
    await syncFolder(disk, root, durability)
  }
  checkStore(disk, `${disk.within(root)}/.`, path, `${root.path}/${name}`, owner)
  const folder = disk.openDirectory(path)
  // ext4 does not reuse an inode within minutes of its removal, and looks for others past all of those in the
  // same block group (fs/ext4/ialloc.c, recently_deleted): next to a pruned revision 5,000 new files cost 1.5 s.
  if (isNew) disk.spread(folder)
  const own = { folder, path: disk.within(folder) }
  return { disk, ...own, work: own, known: new Map(), resisting: new Set<string>(), trusts: isOurUser }
}

/** Throws `disk/other-file-system` for a folder from which nothing could be renamed into the store. */
async function useWorkFolder(
  store: Store,
  path: string,
  { durability, owner }: Pick<LayoutOptions, "durability" | "owner">,
): Promise<void> {
  const { disk } = store
  checkWay(disk, path, owner)
  await makeFolders(disk, path, durability)
  const folder = disk.openDirectory(`${path}/.`)
  const work = { folder, path: disk.within(folder) }
  try {
    checkFolder(disk, folder, owner)
    const probe = `${uniqueName(STAGING_PREFIX)}-probe`
    disk.makeDirectory(`${work.path}/${probe}`, FOLDER_MODE)
    try {
      disk.rename(`${work.path}/${probe}`, `${store.path}/${probe}`)
      disk.removeDirectory(`${store.path}/${probe}`)
    } catch (error) {
      disk.removeDirectory(`${work.path}/${probe}`)
      throw error
    }
  } catch (error) {
    disk.close(folder)
    throw error
  }
  store.work = work
}

const FOR_ALL = 0o002

/** Who owns a folder can put anything in a place where root goes on to write: a stranger must not have made it first. */
function checkFolder(disk: Disk, root: Handle, owner: LayoutOptions["owner"]): void {
  const found = disk.look(`${disk.within(root)}/.`)
  const above = disk.look(`${dirname(root.path)}/.`)
  if (!found || !above || (above.mode & FOR_ALL) === 0 || isTrusted(found.uid, owner)) return
  throw strangers(root.path, found.uid)
}

/**
 * Root could go on wherever a stranger's folder or link leads, so all of the path counts, and before anything is made. A
 * part that cannot be examined cannot be opened either, which says so.
 */
function checkWay(disk: Disk, path: string, owner: LayoutOptions["owner"]): void {
  if (process.geteuid?.() !== 0) return
  const made = madeByStranger(
    path,
    (part) => lookOrNothing(disk, part),
    (uid) => isTrusted(uid, owner),
  )
  if (made !== undefined) throw strangers(made.path, made.uid)
}

function strangers(path: string, uid: number): HeadraceError {
  return new HeadraceError(
    "publish/foreign-store",
    `${path} belongs to user ${uid}, in a folder where everybody can make one`,
    { hint: "Project to a folder that only this user can make, or give the folder to it." },
  )
}

function checkLinkFolder(disk: Disk, path: string, owner: LayoutOptions["owner"]): void {
  const folder = disk.openDirectory(`${path}/.`)
  try {
    checkFolder(disk, folder, owner)
  } finally {
    disk.close(folder)
  }
}

/** What this user or root has written. */
function isOurUser(uid: number): boolean {
  const user = process.geteuid?.()
  return user === undefined || uid === user || uid === 0
}

function isTrusted(uid: number, owner: LayoutOptions["owner"]): boolean {
  return isOurUser(uid) || uid === owner
}

function checkStore(
  disk: Disk,
  root: string,
  path: string,
  name: string,
  owner: LayoutOptions["owner"],
): void {
  const found = disk.look(path)
  const fault = (what: string, hint: string) =>
    new HeadraceError("publish/foreign-store", `${name} ${what}`, { hint })
  if (found?.kind !== "directory") {
    throw fault("is not a folder", "Move it away: revisions are kept at that place.")
  }
  if (found.device !== disk.look(root)?.device) {
    throw fault(
      "is on another file system",
      "Unmount it: revisions are shown by a rename, which stays on one file system.",
    )
  }
  const user = process.geteuid?.()
  // Root could write there, but what it would build on is a stranger's.
  const isOurs = user === undefined || user === found.uid || (user === 0 && found.uid === owner)
  if (!isOurs) {
    throw fault(`belongs to user ${found.uid}`, `Run as that user, or give the folder to user ${user}.`)
  }
}
