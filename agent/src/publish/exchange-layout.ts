import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { Handle } from "./disk.ts"
import { IDENTITY_NAME, type Layout } from "./layout.ts"
import { type Durability, syncFolder } from "./make-durable.ts"
import { parseManifest } from "./manifest.ts"
import {
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
    const identity = `${directory}/${IDENTITY_NAME}`
    const { number } = parseManifest(disk.read(identity).toString("utf8"), `${path}/${IDENTITY_NAME}`)
    numbers.set(stamp, number)
    return number
  }

  function shown(): number | undefined {
    const found = disk.look(at)
    if (!found) return undefined
    if (found.kind !== "directory") throw foreign(path, "is no directory")
    const number = numberIn(at)
    if (number === undefined && disk.list(at).length > 0)
      throw foreign(path, "holds files that were not published")
    return number
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
    mend: () => undefined,
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
