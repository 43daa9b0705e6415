import type { Disk, Handle } from "../disk/disk.ts"
import type { Staging } from "./staging.ts"

/** How a revision reaches the device before it is shown. */
export type Durability = "fsync" | "syncfs" | "none"

/** Files and folders from which one syncfs is cheaper than an fsync of each (docs/publish.md, "Durability"). */
const SYNCFS_FROM = 32

/** `auto` by the number of files and folders to sync. */
export function chooseDurability(durability: Durability | "auto", count: number): Durability {
  if (durability !== "auto") return durability
  return count < SYNCFS_FROM ? "fsync" : "syncfs"
}

/** Folders being synced at once. */
const IN_FLIGHT = 64

/**
 * Makes a staged revision durable: its files (of which `fsync` has begun to sync each that was written), folders
 * and manifest. One syncfs covers everything, other programs' data on that file system as well; fsync(2) of a file
 * does not cover its directory entry, so folders are synced too (man 2 fsync). All of it is under way at once, since
 * nothing shows the revision yet, so a journal takes most of it in one commit.
 *
 * After an error the pages count as clean and a second fsync would lie (Rebello et al., "Can Applications
 * Recover from fsync Failures?", USENIX ATC 2020): the caller abandons the staging.
 */
export async function makeDurable(staging: Staging, durability: Durability): Promise<void> {
  const { disk, folder } = staging.store
  if (durability === "fsync") await syncEach(staging)
  await Promise.all(staging.syncing)
  if (staging.failed.length > 0) throw staging.failed[0]
  if (durability === "syncfs") await disk.syncFileSystem(folder)
  staging.unsynced.clear()
}

/** fsync of a folder that is open, unless durability is none. */
export async function syncFolder(disk: Disk, folder: Handle, durability: Durability | "auto"): Promise<void> {
  if (durability !== "none") await disk.sync(folder)
}

async function syncEach(staging: Staging): Promise<void> {
  const { disk } = staging.store
  const own = disk.sync(staging.folder)
  const folders = [...staging.unsynced].map((path) =>
    path === "" ? staging.content : `${staging.content}/${path}`,
  )
  const results = await Promise.allSettled([own, syncFolders(disk, folders)])
  for (const result of results) if (result.status === "rejected") throw result.reason
}

async function syncFolders(disk: Disk, paths: readonly string[]): Promise<void> {
  for (let start = 0; start < paths.length; start += IN_FLIGHT) {
    const results = await Promise.allSettled(
      paths.slice(start, start + IN_FLIGHT).map((path) => openAndSync(disk, path)),
    )
    for (const result of results) if (result.status === "rejected") throw result.reason
  }
}

async function openAndSync(disk: Disk, path: string): Promise<void> {
  const folder = disk.openDirectory(path)
  try {
    await disk.sync(folder)
  } finally {
    disk.close(folder)
  }
}
