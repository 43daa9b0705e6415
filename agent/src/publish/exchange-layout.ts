import { HeadraceError, hasCode } from "@headrace/shared/foundation/errors"
import type { Handle } from "./disk.ts"
import { IDENTITY_NAME, type Layout } from "./layout.ts"
import { type Durability, syncFolder } from "./make-durable.ts"
import { parseManifest } from "./manifest.ts"
import {
  MANIFEST_NAME,
  readableSlots,
  type Slot,
  type Store,
  slotContent,
  slotName,
  slotNumbers,
  TRASH_PREFIX,
  uniqueName,
} from "./store.ts"

export interface ExchangeOptions {
  store: Store
  /** The folder that the projection's directory stands in, open. */
  parent: Handle
  name: string
  durability: Durability | "auto"
}

/**
 * Layout `exchange`: the projection is a real directory, swapped whole with the staged one by renameat2(2)
 * RENAME_EXCHANGE. Open directories, working directories and inotify watches stay on the old one, and a mount
 * point cannot be swapped: for those, layout `links`. The slot of what is shown holds its manifest alone.
 */
export function openExchangeLayout(options: ExchangeOptions): Layout {
  const { store, parent, name, durability } = options
  const { disk } = store
  const at = `${disk.within(parent)}/${name}`
  const path = `${parent.path}/${name}`
  const numbers = new Map<string, number>()

  function numberIn(directory: string): number | undefined {
    const found = disk.look(`${directory}/${IDENTITY_NAME}`)
    if (found?.kind !== "file") return undefined
    const stamp = `${found.inode} ${found.modified}`
    const known = numbers.get(stamp)
    if (known !== undefined) return known
    const number = numberOf(disk.read(`${directory}/${IDENTITY_NAME}`).toString("utf8"))
    if (number !== undefined) numbers.set(stamp, number)
    return number
  }

  function numberOf(text: string): number | undefined {
    try {
      return parseManifest(text, `${path}/${IDENTITY_NAME}`).number
    } catch (error) {
      if (hasCode(error, "publish/bad-manifest")) return undefined
      throw error
    }
  }

  /** What a directory with a lost or damaged manifest is: the slot of what is shown is the one without its directory. */
  function hollowSlot(): number | undefined {
    const hollow = slotNumbers(store).filter((number) => {
      const slot = `${store.path}/${slotName(number)}`
      const entries = disk.look(slot)?.kind === "directory" ? disk.list(slot) : undefined
      return entries?.every((name) => disk.look(`${slot}/${name}`)?.kind !== "directory") ?? false
    })
    return hollow.length === 1 ? hollow[0] : undefined
  }

  function shown(): number | undefined {
    const found = disk.look(at)
    if (!found) return undefined
    if (found.kind !== "directory") throw foreign(path, "is no directory")
    const number = numberIn(at)
    if (number !== undefined || disk.list(at).length === 0) return number
    const hollow = hollowSlot()
    if (hollow === undefined) throw foreign(path, "holds files that were not published")
    return hollow
  }

  /** After a swap the directory before stands in the slot of its successor: takes it to its own. */
  function settle(): void {
    const homes = new Map(readableSlots(store).map((slot) => [slot.number, slotContent(store, slot)]))
    // By slot, lowest first: each directory moves down, to a place that the one before has left.
    for (const directory of directoriesIn(store)) {
      const number = numberIn(directory)
      moveHome(directory, number === undefined ? undefined : homes.get(number))
    }
  }

  function moveHome(directory: string, home: string | undefined): void {
    if (home === directory) return
    // What the first swap took away is an empty directory.
    if (disk.list(directory).length === 0) disk.removeDirectory(directory)
    else if (home !== undefined && !disk.look(home)) disk.rename(directory, home)
    // After a power cut its slot may be pruned already although its own move did not survive.
    else disk.rename(directory, `${store.path}/${uniqueName(TRASH_PREFIX)}`)
  }

  return {
    reserved: [],
    identity: IDENTITY_NAME,
    shown,
    settle,
    content: (slot) => (shown() === slot.number ? at : slotContent(store, slot)),
    path: () => path,
    check: () => undefined,
    show: async (slot: Slot, before: Slot | undefined) => {
      if (before && before.number !== slot.number) disk.touch(`${store.path}/${slotName(before.number)}`)
      const slotFolder = disk.openDirectory(`${store.path}/${slotName(slot.number)}`)
      try {
        if (disk.look(at)) disk.exchange(slotContent(store, slot), at)
        else disk.rename(slotContent(store, slot), at)
        await syncFolder(disk, parent, durability)
        await syncFolder(disk, slotFolder, durability)
      } finally {
        disk.close(slotFolder)
      }
      settle()
    },
    sync: () => syncFolder(disk, parent, durability),
    mend: (slot) => {
      if (numberIn(at) === slot.number) return
      if (disk.look(`${at}/${IDENTITY_NAME}`)) disk.unlink(`${at}/${IDENTITY_NAME}`)
      disk.link(`${store.path}/${slotName(slot.number)}/${MANIFEST_NAME}`, `${at}/${IDENTITY_NAME}`)
    },
    tidy: () => undefined,
    close: () => disk.close(parent),
  }
}

function directoriesIn({ disk, path }: Store): string[] {
  return slotNumbers({ disk, path })
    .flatMap((number) => {
      const slot = `${path}/${slotName(number)}`
      return disk.list(slot).map((name) => `${slot}/${name}`)
    })
    .filter((entry) => disk.look(entry)?.kind === "directory")
}

function foreign(path: string, what: string): HeadraceError {
  return new HeadraceError("publish/foreign-file", `${path} ${what} and is not ours to replace`, {
    hint: "Move it away, or project to another place. Nothing was changed.",
    fields: { path },
  })
}
