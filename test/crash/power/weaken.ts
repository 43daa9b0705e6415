import { readlinkSync } from "node:fs"
import { dirname } from "node:path"
import type { Disk, Handle } from "@headrace/agent/disk/disk"

/**
 * Publishers that leave something out, for negative controls: the same test has to fail with each.
 *
 * The fsync of `..rev` is not among them, since none of the three lets its absence be seen: ext4 and xfs commit the
 * changes of all folders in one ordered log, and btrfs commits everything at an fsync of a folder into which
 * something was renamed from another one (btrfs_record_unlink_dir). POSIX promises neither; the simulated disk,
 * which keeps no more than POSIX says, has that control.
 */
export const WEAKENED = {
  "no fsync of folders": withoutFolderSync,
  "pruning before the flip": pruningFirst,
} satisfies Record<string, (disk: Disk) => Disk>

/** Forgets that fsync of a file does not cover its name. */
function withoutFolderSync(disk: Disk): Disk {
  const folders = new Set<number>()
  return {
    ...disk,
    openDirectory: (path): Handle => {
      const folder = disk.openDirectory(path)
      folders.add(folder.fd)
      return folder
    },
    close: (handle) => {
      folders.delete(handle.fd)
      disk.close(handle)
    },
    sync: async (handle) => {
      if (!folders.has(handle.fd)) await disk.sync(handle)
    },
  }
}

/** Takes the revision that is shown out of the store as soon as the next one has its number. */
function pruningFirst(disk: Disk): Disk {
  return {
    ...disk,
    // It marks what goes out of view, which is gone already.
    touch: () => undefined,
    rename: (from, to) => {
      disk.rename(from, to)
      if (!/\/\.staging-[^/]*$/.test(from)) return
      const store = dirname(to)
      const shown = shownSlot(store)
      if (shown) disk.rename(`${store}/${shown}`, `${store}/.trash-early-${shown}`)
    },
  }
}

// Not by path.join: the store's path leads through an open folder, which `..` has to leave by itself.
function shownSlot(store: string): string | undefined {
  try {
    return /^\.\.rev\/(\d+)/.exec(readlinkSync(`${store}/../..data`))?.[1]
  } catch {
    return undefined
  }
}
