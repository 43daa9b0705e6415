import { hasCode } from "@headrace/shared/foundation/errors"
import type { Disk, Handle } from "../disk/disk.ts"
import { lookOrNothing } from "../disk/look-or-nothing.ts"
import { IDENTITY_NAME, type Layout } from "../store/layout.ts"
import { type Durability, syncFolder } from "../store/make-durable.ts"
import { parseManifest } from "../store/manifest.ts"
import { MANIFEST_NAME } from "../store/manifest-name.ts"
import {
  readableSlots,
  type Slot,
  type Store,
  slotContent,
  slotName,
  slotNumbers,
  TRASH_PREFIX,
  uniqueName,
} from "../store/store.ts"
import { foreignFile } from "./foreign-file.ts"

/** Name of a directory in a slot whose manifest, which would name it, is lost. */
const UNNAMED = "unnamed"
/** Directories whose numbers are remembered: more than a store has, fewer than a busy one makes in a day. */
const KNOWN_NUMBERS = 1000

export interface ExchangeOptions {
  store: Store
  /** The folder that contains the projection's directory, open. */
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
    const found = lookOrNothing(disk, `${directory}/${IDENTITY_NAME}`)
    if (found?.kind !== "file") return undefined
    const stamp = `${found.inode} ${found.modified}`
    const known = numbers.get(stamp)
    if (known !== undefined) return known
    const number = numberOf(disk.read(`${directory}/${IDENTITY_NAME}`).toString("utf8"))
    if (numbers.size >= KNOWN_NUMBERS) numbers.clear()
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
      const entries = namesIn(disk, slot)
      return entries?.every((name) => lookOrNothing(disk, `${slot}/${name}`)?.kind !== "directory") ?? false
    })
    return hollow.length === 1 ? hollow[0] : undefined
  }

  function shown(): number | undefined {
    const found = disk.look(at)
    if (!found) return undefined
    if (found.kind !== "directory") throw foreignFile(path, "is no directory")
    const number = numberIn(at)
    if (number !== undefined || disk.list(at).length === 0) return number
    const hollow = hollowSlot()
    if (hollow === undefined) throw foreignFile(path, "holds files that were not published")
    return hollow
  }

  /** After a swap the earlier directory is in the slot of its successor: moves it to its own. */
  function settle(): void {
    const homes = new Map(readableSlots(store).map((slot) => [slot.number, slotContent(store, slot)]))
    const now = numberIn(at)
    // By slot, lowest first: each directory moves down, to a place that the one before has left.
    for (const { slot, directory } of directoriesIn(store)) {
      const names = namesIn(disk, directory)
      // What cannot be examined now stays where it is. What the first swap took away is an empty directory.
      if (names?.length === 0) disk.removeDirectory(directory)
      else if (names) settleDirectory(directory, slot, now, homes)
    }
  }

  function settleDirectory(
    directory: string,
    slot: number,
    now: number | undefined,
    homes: ReadonlyMap<number, string>,
  ): void {
    // One that does not say what it is, is the one before where the one shown was; elsewhere it is at home.
    const number = numberIn(directory) ?? (slot === now ? hollowSlot() : slot)
    // After a power cut its slot may be pruned already although its own move did not survive.
    if (number === undefined) discard(directory)
    else if (number !== slot) moveHome(directory, number, homes.get(number))
  }

  /** Where the slot's manifest is lost its directory goes there all the same: from slots nothing leased is removed. */
  function moveHome(directory: string, number: number, home: string | undefined): void {
    const slot = `${store.path}/${slotName(number)}`
    const place = home ?? `${slot}/${UNNAMED}`
    if (disk.look(slot) && !disk.look(place)) disk.rename(directory, place)
    else discard(directory)
  }

  function discard(directory: string): void {
    disk.rename(directory, `${store.path}/${uniqueName(TRASH_PREFIX)}`)
  }

  /** Puts the manifest of a slot into its directory, where that has lost it. */
  function identify(directory: string, number: number): void {
    if (numberIn(directory) === number) return
    if (disk.look(`${directory}/${IDENTITY_NAME}`)) disk.unlink(`${directory}/${IDENTITY_NAME}`)
    disk.link(`${store.path}/${slotName(number)}/${MANIFEST_NAME}`, `${directory}/${IDENTITY_NAME}`)
  }

  return {
    folders: [parent],
    reserved: [],
    identity: IDENTITY_NAME,
    shown,
    settle,
    usurped: () => (["directory", undefined].includes(disk.look(at)?.kind) ? [] : [at]),
    content: (slot) => (shown() === slot.number ? at : slotContent(store, slot)),
    path: () => path,
    check: () => undefined,
    show: async (slot: Slot, before: Slot | undefined) => {
      if (before && before.number !== slot.number) disk.touch(`${store.path}/${slotName(before.number)}`)
      const slotFolder = disk.openDirectory(`${store.path}/${slotName(slot.number)}`)
      try {
        identify(slotContent(store, slot), slot.number)
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
    isWhole: (slot) => numberIn(at) === slot.number,
    mend: (slot) => identify(at, slot.number),
    tidy: () => undefined,
    close: () => disk.close(parent),
  }
}

function directoriesIn({ disk, path }: Store): { slot: number; directory: string }[] {
  return slotNumbers({ disk, path })
    .flatMap((slot) => {
      const names = namesIn(disk, `${path}/${slotName(slot)}`) ?? []
      return names.map((name) => ({ slot, directory: `${path}/${slotName(slot)}/${name}` }))
    })
    .filter(({ directory }) => lookOrNothing(disk, directory)?.kind === "directory")
}

/** What is in a directory; undefined where there is none, and where it cannot be listed. */
function namesIn(disk: Disk, directory: string): string[] | undefined {
  if (lookOrNothing(disk, directory)?.kind !== "directory") return undefined
  try {
    return disk.list(directory)
  } catch {
    return undefined
  }
}
