import { HeadraceError } from "@headrace/shared/foundation/errors"
import { foldersOf } from "@headrace/shared/foundation/folders-of"
import type { Disk, Handle } from "../disk/disk.ts"
import { lookOrNothing } from "../disk/look-or-nothing.ts"
import type { Layout } from "../store/layout.ts"
import { type Durability, syncFolder } from "../store/make-durable.ts"
import { LINK_PREFIX, type Slot, type Store, slotContent, slotName, uniqueName } from "../store/store.ts"

export const STORE_NAME = "..rev"
const TARGET = /^\.\.rev\/(\d{4,15})\/[^/]+$/
/** Begins the name of a link that is about to be moved, where the link is in another folder than the store. */
const DRAFT_PREFIX = ".headrace-link-"
/** Of the folders on the way to a revision and of those of visible links: readers look up names in them, and walk them. */
const WAY_MODE = 0o755
const SET_GROUP = 0o2000
const IN_THE_WAY = "is where a published name has to go"

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
  /**
   * A visible link for each file, in real folders: for readers that follow no link to a folder. Otherwise for each name of
   * the revision's own folder.
   */
  linksEachFile?: boolean | undefined
  /** True for the target of a link that another program made and that may be replaced. */
  takesOver?: ((target: string) => boolean) | undefined
  /** True when a file at the place of a visible link may be replaced: another program wrote it and is gone. */
  takesOverFiles?: boolean | undefined
  /** True for the target of a visible link of another program, which a publish may replace: the last one wins. */
  takesOverNames?: ((target: string) => boolean) | undefined
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
      const names = [...visibleNames(options, pathsOf(slot))].flatMap((name) => {
        const fault = visibleFault(options, at, name)
        return fault === undefined ? [] : [fault.name]
      })
      return [...places, ...[...new Set(names)].map((name) => `${at}/${name}`)]
    },
    content: (slot) => slotContent(store, slot),
    path: (slot) => `${root.path}/${STORE_NAME}/${slotName(slot.number)}/${slot.manifest.revision}`,
    check: (paths) => {
      if (visible) for (const name of visibleNames(options, paths)) checkVisible(options, at, name)
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
      (!visible || isWhole(options, at, slot)),
    mend: (slot) => {
      for (const folder of wayTo(options, slot)) letReadersThrough(disk, folder)
      if (visible) putVisible(options, at, slot)
    },
    tidy: (slot) => {
      const wanted = visible ? visibleNames(options, pathsOf(slot)) : new Set<string>()
      if (visible && linksEachFile) {
        removeOthers(options, at, wanted)
        return
      }
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

function isWhole(options: LinksOptions, at: string, slot: Slot): boolean {
  return [...visibleNames(options, pathsOf(slot))].every(
    // What another program has published since stays until we publish.
    (name) => isVisible(options, at, name) || isAnothers(options, at, name),
  )
}

function isAnothers({ store, takesOverNames }: LinksOptions, at: string, name: string): boolean {
  if (takesOverNames === undefined || lookOrNothing(store.disk, `${at}/${name}`)?.kind !== "link")
    return false
  return takesOverNames(store.disk.readLink(`${at}/${name}`) ?? "")
}

function isVisible(options: LinksOptions, at: string, name: string): boolean {
  const { disk } = options.store
  const folders = options.linksEachFile ? foldersOf(name) : []
  if (folders.some((folder) => disk.look(`${at}/${folder}`)?.kind !== "directory")) return false
  return isOurLink(options, at, name)
}

/** Makes all visible links, once nothing of an older revision is in view. */
function putVisible(options: LinksOptions, at: string, slot: Slot): void {
  // What was a folder before may be a file now.
  if (options.linksEachFile && !isWhole(options, at, slot))
    removeOthers(options, at, visibleNames(options, pathsOf(slot)))
  makeVisible(options, at, slot, true)
}

/** Makes the visible links that are missing; `replaces` those at whose place a file may be taken over. */
function makeVisible(options: LinksOptions, at: string, slot: Slot, replaces: boolean): void {
  const { store } = options
  const { disk } = store
  for (const name of visibleNames(options, pathsOf(slot))) {
    if (isVisible(options, at, name)) continue
    // A link of ours may have been replaced by a file, as `sed -i` does it.
    checkVisible(options, at, name)
    if (options.linksEachFile && !makeFolders(disk, at, name, replaces)) continue
    const target = targetOf(options, name)
    const kind = disk.look(`${at}/${name}`)?.kind
    if (kind === undefined) disk.symlink(target, `${at}/${name}`)
    else if (replaces) {
      // A crash has left it between its last link and itself.
      if (kind === "directory") removeEmpty(disk, `${at}/${name}`)
      const draft = `${store.work.path}/${uniqueName(LINK_PREFIX)}`
      disk.symlink(target, draft)
      disk.rename(draft, `${at}/${name}`)
    }
  }
}

/** Makes the folders above a name, also in the place of our links; false where one is left, since it is still read. */
function makeFolders(disk: Disk, at: string, name: string, replaces: boolean): boolean {
  for (const folder of foldersOf(name)) {
    const kind = disk.look(`${at}/${folder}`)?.kind
    if (kind === "directory") continue
    if (kind !== undefined && !replaces) return false
    if (kind !== undefined) disk.unlink(`${at}/${folder}`)
    disk.makeDirectory(`${at}/${folder}`, WAY_MODE)
  }
  return true
}

/** Removes our links but those of `wanted`, and the folders that this empties; true when it removed anything. */
function removeOthers(options: LinksOptions, at: string, wanted: ReadonlySet<string>, folder = ""): boolean {
  const { disk } = options.store
  const path = `${at}/${folder}`
  let isRemoved = false
  for (const entry of listOrNothing(disk, path)) {
    // The store and the link: no published name begins like that.
    if (folder === "" && entry.startsWith("..")) continue
    const name = `${folder}${entry}`
    if (lookOrNothing(disk, `${at}/${name}`)?.kind === "directory")
      isRemoved = removeOthers(options, at, wanted, `${name}/`) || isRemoved
    else if (!wanted.has(name) && isOurLink(options, at, name)) {
      disk.unlink(`${at}/${name}`)
      isRemoved = true
    }
  }
  if (isRemoved && folder !== "" && disk.list(path).length === 0) disk.removeDirectory(path.slice(0, -1))
  return isRemoved
}

/** Removes a folder of nothing but folders; fails at anything else in it. */
function removeEmpty(disk: Disk, folder: string): void {
  for (const entry of disk.list(folder)) removeEmpty(disk, `${folder}/${entry}`)
  disk.removeDirectory(folder)
}

function isOurLink(options: LinksOptions, at: string, name: string): boolean {
  return options.store.disk.readLink(`${at}/${name}`) === targetOf(options, name)
}

/** Other users' folders may be in a folder that is shared; nothing of ours is in those that we cannot read. */
function listOrNothing(disk: Disk, folder: string): string[] {
  try {
    return disk.list(folder)
  } catch {
    return []
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
  const { path } = options.place?.folder ?? options.root
  if (fault !== undefined) throw foreign(`${path}/${fault.name}`, fault.what)
}

interface NameFault {
  name: string
  what: string
}

/** What is not ours to replace at a visible name, or at a folder above it, and why; undefined where nothing is. */
function visibleFault(options: LinksOptions, at: string, name: string): NameFault | undefined {
  const { store, linksEachFile, takesOverFiles } = options
  const { disk } = store
  if (linksEachFile) {
    const first = foldersOf(name).find((folder) => disk.look(`${at}/${folder}`)?.kind !== "directory")
    if (first !== undefined) return folderFault(options, at, first)
  }
  const target = disk.readLink(`${at}/${name}`)
  if (target === targetOf(options, name)) return undefined
  if (target !== undefined) {
    return options.takesOverNames?.(target) ? undefined : { name, what: `leads to ${target}` }
  }
  const kind = disk.look(`${at}/${name}`)?.kind
  if (kind === undefined || (takesOverFiles && kind === "file")) return undefined
  if (linksEachFile && kind === "directory" && holdsOnlyOurs(options, at, name)) return undefined
  return { name, what: IN_THE_WAY }
}

/** The same where a folder has to be made: in the place of nothing, or of a name that was a file. */
function folderFault(options: LinksOptions, at: string, name: string): NameFault | undefined {
  if (options.store.disk.look(`${at}/${name}`) === undefined || isOurLink(options, at, name)) return undefined
  return { name, what: IN_THE_WAY }
}

/** True for a folder in which nothing but links of ours is. */
function holdsOnlyOurs(options: LinksOptions, at: string, folder: string): boolean {
  const { disk } = options.store
  return disk.list(`${at}/${folder}`).every((entry) => {
    const name = `${folder}/${entry}`
    const isFolder = disk.look(`${at}/${name}`)?.kind === "directory"
    return isFolder ? holdsOnlyOurs(options, at, name) : isOurLink(options, at, name)
  })
}

/** Where a visible link leads. */
function targetOf({ link }: LinksOptions, name: string): string {
  return `${"../".repeat(foldersOf(name).length)}${link}/${name}`
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

function visibleNames({ linksEachFile }: LinksOptions, paths: Iterable<string>): Set<string> {
  return linksEachFile ? new Set(paths) : topNames(paths)
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
