import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { Disk, Handle } from "../disk/disk.ts"
import type { Layout } from "../store/layout.ts"
import { type Durability, syncFolder } from "../store/make-durable.ts"
import { LINK_PREFIX, type Slot, type Store, slotContent, slotName, uniqueName } from "../store/store.ts"

export const STORE_NAME = "..rev"
const TARGET = /^\.\.rev\/(\d{4,15})\/[^/]+$/
/** Begins the name of a link that is about to be moved, where the link is in another folder than the store. */
const DRAFT_PREFIX = ".headrace-link-"
/** Of the folders on the way to a revision: readers look up names in them, and walk them. */
const WAY_MODE = 0o755

export interface LinksOptions {
  store: Store
  /** The projection's folder, open. */
  root: Handle
  /** The link that is moved, `..data` as kubelet names it. */
  link: string
  /** The folder of the link, when it is another than `root`, and the path from there to `root`. */
  place?: { folder: Handle; up: string } | undefined
  /** Links NAME -> LINK/NAME beside it. */
  visible: boolean
  /** True for the target of a link that another program made and that may be replaced. */
  takesOver?: ((target: string) => boolean) | undefined
  /** True when a file at the place of a visible link may be replaced: another program wrote it and is gone. */
  takesOverFiles?: boolean | undefined
  durability: Durability | "auto"
}

/**
 * Layout `links`: `<path>/..data -> ..rev/0042/<id>` is moved by one rename, and `<path>/NAME -> ..data/NAME`
 * stay. The temporary link is made in the store, so that a watcher of `<path>` sees one event, the rename
 * (Prow's agent and configmap-reload take nothing else for an update).
 */
export function openLinksLayout(options: LinksOptions): Layout {
  const { store, root, link, visible, durability, place } = options
  const { disk } = store
  const at = disk.within(root)
  const linkFolder = place?.folder ?? root
  const linkAt = disk.within(linkFolder)
  const up = place === undefined ? "" : `${place.up}/`
  if (place !== undefined) removeDrafts(disk, linkAt)
  return {
    folders: place === undefined ? [root] : [root, place.folder],
    // Without visible links a revision's names and ours are in different folders.
    reserved: visible ? [link, STORE_NAME] : [],
    shown: () => {
      checkLink(options, linkAt, linkFolder.path, up)
      const match = TARGET.exec(targetBelow(disk.readLink(`${linkAt}/${link}`), up))
      return match ? Number(match[1]) : undefined
    },
    settle: () => undefined,
    usurped: (slot) => {
      const places = linkFault(options, linkAt, up) === undefined ? [] : [`${linkAt}/${link}`]
      if (!visible) return places
      const names = [...topNames(pathsOf(slot))].filter(
        (name) => visibleFault(options, at, name) !== undefined,
      )
      return [...places, ...names.map((name) => `${at}/${name}`)]
    },
    content: (slot) => slotContent(store, slot),
    path: (slot) => `${root.path}/${STORE_NAME}/${slotName(slot.number)}/${slot.manifest.revision}`,
    check: (paths) => {
      if (visible) for (const name of topNames(paths)) checkVisible(options, at, name)
    },
    show: async (slot, before) => {
      // Dangling until the flip; after it a reader would miss them if we died in between (k/k #121472).
      if (visible) makeVisible(options, at, slot, false)
      // Marks the end of its time in view, from which its minimum age counts; undone by nothing, so before.
      if (before && before.number !== slot.number) disk.touch(`${store.path}/${slotName(before.number)}`)
      // Elsewhere it can be another file system, which no rename crosses.
      const draft = place
        ? `${linkAt}/${uniqueName(DRAFT_PREFIX)}`
        : `${store.work.path}/${uniqueName(LINK_PREFIX)}`
      disk.symlink(`${up}${STORE_NAME}/${slotName(slot.number)}/${slot.manifest.revision}`, draft)
      disk.rename(draft, `${linkAt}/${link}`)
      // A file has its content until its link has one.
      if (visible && options.takesOverFiles) makeVisible(options, at, slot, true)
      await syncFolder(disk, linkFolder, durability)
    },
    sync: () => syncFolder(disk, linkFolder, durability),
    isWhole: (slot) =>
      wayTo(store, slot).every((folder) => letsReadersThrough(disk, folder)) &&
      (!visible ||
        [...topNames(pathsOf(slot))].every((name) => disk.readLink(`${at}/${name}`) === `${link}/${name}`)),
    mend: (slot) => {
      for (const folder of wayTo(store, slot)) letReadersThrough(disk, folder)
      if (visible) makeVisible(options, at, slot, true)
    },
    tidy: (slot) => {
      const wanted = visible ? topNames(pathsOf(slot)) : new Set<string>()
      for (const name of disk.list(at)) {
        if (wanted.has(name) || disk.readLink(`${at}/${name}`) !== `${link}/${name}`) continue
        disk.unlink(`${at}/${name}`)
      }
    },
    close: () => {
      if (place !== undefined) disk.close(place.folder)
      disk.close(root)
    },
  }
}

/** The folders between the projection's own and a revision's. */
function wayTo(store: Store, slot: Slot): string[] {
  return [`${store.path}/.`, `${store.path}/${slotName(slot.number)}`]
}

function letsReadersThrough(disk: Disk, folder: string): boolean {
  return ((disk.look(folder)?.mode ?? 0) & WAY_MODE) === WAY_MODE
}

function letReadersThrough(disk: Disk, path: string): void {
  if (letsReadersThrough(disk, path)) return
  const folder = disk.openDirectory(path)
  try {
    disk.setMode(folder, WAY_MODE)
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

/** Makes the visible links that are missing; `replaces` those at whose place a file may be taken over. */
function makeVisible(options: LinksOptions, at: string, slot: Slot, replaces: boolean): void {
  const { store, link } = options
  const { disk } = store
  for (const name of topNames(pathsOf(slot))) {
    if (disk.readLink(`${at}/${name}`) === `${link}/${name}`) continue
    // A link of ours may have been replaced by a file, as `sed -i` does it.
    checkVisible(options, at, name)
    if (!disk.look(`${at}/${name}`)) disk.symlink(`${link}/${name}`, `${at}/${name}`)
    else if (replaces) {
      const draft = `${store.work.path}/${uniqueName(LINK_PREFIX)}`
      disk.symlink(`${link}/${name}`, draft)
      disk.rename(draft, `${at}/${name}`)
    }
  }
}

function checkLink(options: LinksOptions, at: string, folder: string, up: string): void {
  const fault = linkFault(options, at, up)
  if (fault !== undefined) throw foreign(`${folder}/${options.link}`, fault)
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

function checkVisible(options: LinksOptions, at: string, name: string): void {
  const fault = visibleFault(options, at, name)
  if (fault !== undefined) throw foreign(`${options.root.path}/${name}`, fault)
}

/** Why what is at a visible name is not ours to replace; undefined where it is, or nothing is there. */
function visibleFault(
  { store: { disk }, link, takesOverFiles }: LinksOptions,
  at: string,
  name: string,
): string | undefined {
  const target = disk.readLink(`${at}/${name}`)
  if (target === `${link}/${name}`) return undefined
  if (target !== undefined) return `leads to ${target}`
  const kind = disk.look(`${at}/${name}`)?.kind
  if (kind === undefined || (takesOverFiles && kind === "file")) return undefined
  return "is where a published name has to go"
}

function foreign(path: string, what: string): HeadraceError {
  return new HeadraceError("publish/foreign-file", `${path} ${what} and is not ours to replace`, {
    hint: "Move it away, or project to another folder. Nothing was changed.",
    fields: { path },
  })
}

function* pathsOf(slot: Slot): Iterable<string> {
  for (const file of slot.manifest.files) yield file.path
}

function topNames(paths: Iterable<string>): Set<string> {
  const names = new Set<string>()
  // Paths come in order, so most have the folder of the one before.
  let last = "/"
  for (const path of paths) {
    if (path.startsWith(last)) continue
    const slash = path.indexOf("/")
    names.add(slash === -1 ? path : path.slice(0, slash))
    if (slash !== -1) last = path.slice(0, slash + 1)
  }
  return names
}
