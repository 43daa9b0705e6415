import type { Disk } from "../disk/disk.ts"
import type { Layout } from "../store/layout.ts"
import { type Durability, syncFolder } from "../store/make-durable.ts"
import { LINK_PREFIX, type Slot, slotContent, slotName, uniqueName } from "../store/store.ts"
import { foreignFile } from "./foreign-file.ts"
import {
  areVisible,
  checkVisible,
  makeVisible,
  putVisible,
  removeUnwanted,
  type VisibleLinksOptions,
  visibleFaults,
  WAY_MODE,
} from "./visible-links.ts"

export const STORE_NAME = "..rev"
const TARGET = /^\.\.rev\/(\d{4,15})\/[^/]+$/
/** Begins the name of a link that is about to be moved, where the link is in another folder than the store. */
const DRAFT_PREFIX = ".headrace-link-"
const SET_GROUP = 0o2000

export interface LinksOptions extends VisibleLinksOptions {
  /** Links NAME -> LINK/NAME beside it. */
  visible: boolean
  /** True for the target of a link that another program made and that may be replaced. */
  takesOver?: ((target: string) => boolean) | undefined
  durability: Durability | "auto"
}

/**
 * Layout `links`: `<path>/..data -> ..rev/0042/<id>` is moved by one rename, and `<path>/NAME -> ..data/NAME`
 * stay. The temporary link is made in the store, so that a watcher of `<path>` sees one event, the rename
 * (Prow's agent and configmap-reload take nothing else for an update). With `linksEachFile` it is
 * `<path>/FOLDER/NAME -> ../..data/FOLDER/NAME`.
 */
export function openLinksLayout(options: LinksOptions): Layout {
  const { store, root, link, visible, linksEachFile, takesOverFiles, durability, place } = options
  const { disk } = store
  const linkFolder = place?.folder ?? root
  const linkAt = disk.within(linkFolder)
  const at = visible ? linkAt : disk.within(root)
  const up = place === undefined ? "" : `${place.up}/`
  if (place !== undefined) removeDrafts(disk, linkAt)
  return {
    folders: place === undefined ? [root] : [root, place.folder],
    // Without visible links a revision's names and ours are in different folders.
    reserved: visible ? [link, place?.up.split("/")[0] ?? STORE_NAME] : [],
    shown: () => {
      checkLink(options, linkAt, linkFolder.path, up)
      const match = TARGET.exec(targetBelow(disk.readLink(`${linkAt}/${link}`), up))
      return match ? Number(match[1]) : undefined
    },
    settle: () => undefined,
    usurped: (slot) => {
      const places = linkFault(options, linkAt, up) === undefined ? [] : [`${linkAt}/${link}`]
      if (!visible) return places
      return [...places, ...visibleFaults(options, at, slot).map((name) => `${at}/${name}`)]
    },
    content: (slot) => slotContent(store, slot),
    path: (slot) => `${root.path}/${STORE_NAME}/${slotName(slot.number)}/${slot.manifest.revision}`,
    check: (paths) => {
      if (visible) checkVisible(options, at, paths)
    },
    show: async (slot, before) => {
      // Dangling until the flip; after it a reader would miss them if we died in between (k/k #121472).
      if (visible) makeVisible(options, at, slot, false)
      // Marks the end of its time in view, from which its minimum age counts; undone by nothing, so before.
      if (before && before.number !== slot.number) disk.touch(`${store.path}/${slotName(before.number)}`)
      // Elsewhere it can be another file system, which no rename crosses; the store of visible links is below them.
      const draft =
        place === undefined || visible
          ? `${store.work.path}/${uniqueName(LINK_PREFIX)}`
          : `${linkAt}/${uniqueName(DRAFT_PREFIX)}`
      disk.symlink(`${up}${STORE_NAME}/${slotName(slot.number)}/${slot.manifest.revision}`, draft)
      disk.rename(draft, `${linkAt}/${link}`)
      // A file has its content until its link has one, and a name that becomes a folder, or is another's, until the flip.
      if (visible && (takesOverFiles || linksEachFile)) putVisible(options, at, slot)
      await syncFolder(disk, linkFolder, durability)
    },
    sync: () => syncFolder(disk, linkFolder, durability),
    isWhole: (slot) =>
      wayTo(options, slot).every((folder) => letsReadersThrough(disk, folder)) &&
      (!visible || areVisible(options, at, slot)),
    mend: (slot) => {
      for (const folder of wayTo(options, slot)) letReadersThrough(disk, folder)
      if (visible) putVisible(options, at, slot)
    },
    tidy: (slot) => {
      // Those of a time when there were visible links go as well.
      removeUnwanted(options, at, visible ? slot : undefined)
    },
    close: () => {
      if (place !== undefined) disk.close(place.folder)
      disk.close(root)
    },
  }
}

/** The folders between the projection's own and a revision's. */
function wayTo({ store, root, place, visible }: LinksOptions, slot: Slot): string[] {
  // Without visible links the folder of the store has the mode that its user gave it.
  const own = place !== undefined && visible ? [`${store.disk.within(root)}/.`] : []
  return [...own, `${store.path}/.`, `${store.path}/${slotName(slot.number)}`]
}

function letsReadersThrough(disk: Disk, folder: string): boolean {
  return ((disk.look(folder)?.mode ?? 0) & WAY_MODE) === WAY_MODE
}

function letReadersThrough(disk: Disk, path: string): void {
  if (letsReadersThrough(disk, path)) return
  const folder = disk.openDirectory(path)
  try {
    disk.setMode(folder, WAY_MODE | ((disk.look(path)?.mode ?? 0) & SET_GROUP))
  } finally {
    disk.close(folder)
  }
}

/** The target as it counts from the store's folder; empty where it does not lead there. */
function targetBelow(target: string | undefined, up: string): string {
  return target?.startsWith(up) ? target.slice(up.length) : ""
}

/** What a crash left between the draft and its rename. */
function removeDrafts(disk: Disk, folder: string): void {
  for (const name of disk.list(folder)) {
    if (name.startsWith(DRAFT_PREFIX) && disk.look(`${folder}/${name}`)?.kind === "link")
      disk.unlink(`${folder}/${name}`)
  }
}

function checkLink(options: LinksOptions, at: string, folder: string, up: string): void {
  const fault = linkFault(options, at, up)
  if (fault !== undefined) throw foreignFile(`${folder}/${options.link}`, fault)
}

/** Why what is at the link's place is not ours; undefined where it is, or nothing is there. */
function linkFault(
  { store: { disk }, link, takesOver }: LinksOptions,
  at: string,
  up: string,
): string | undefined {
  const found = disk.look(`${at}/${link}`)
  if (!found) return undefined
  if (found.kind !== "link") return "is not a link"
  const target = disk.readLink(`${at}/${link}`) ?? ""
  if (TARGET.test(targetBelow(target, up)) || takesOver?.(target)) return undefined
  // A dangling one publishes nothing: replacing it removes nothing, whatever program made it.
  return disk.look(target.startsWith("/") ? target : `${at}/${target}`) ? `leads to ${target}` : undefined
}
