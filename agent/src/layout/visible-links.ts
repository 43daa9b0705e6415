import { foldersOf } from "@headrace/shared/foundation/folders-of"
import type { Disk, Handle } from "../disk/disk.ts"
import { lookOrNothing } from "../disk/look-or-nothing.ts"
import { LINK_PREFIX, type Slot, type Store, uniqueName } from "../store/store.ts"
import { foreignFile } from "./foreign-file.ts"

/** Of the folders on the way to a revision and of those of visible links: readers look up names in them, and walk them. */
export const WAY_MODE = 0o755
const IN_THE_WAY = "is where a published name has to go"

/** Links NAME -> LINK/NAME, by which readers see what is published without knowing LINK. */
export interface VisibleLinksOptions {
  store: Store
  /** The projection's folder, open. */
  root: Handle
  /** The link that is moved, `..data` as kubelet names it. */
  link: string
  /** The folder of the link, when it is another than `root`, and the path from there to `root`. */
  place?: { folder: Handle; up: string } | undefined
  /**
   * A visible link for each file, in real folders: for readers that follow no link to a folder. Otherwise for each name of
   * the revision's own folder.
   */
  linksEachFile?: boolean | undefined
  /** True when a file at the place of a visible link may be replaced: another program wrote it and is gone. */
  takesOverFiles?: boolean | undefined
  /** True for the target of a visible link of another program, which a publish may replace: the last one wins. */
  takesOverNames?: ((target: string) => boolean) | undefined
}

/** True when each name of a revision is visible, or another program's since. */
export function areVisible(options: VisibleLinksOptions, at: string, slot: Slot): boolean {
  return [...visibleNames(options, pathsOf(slot))].every(
    // What another program has published since stays until we publish.
    (name) => isVisible(options, at, name) || isAnothers(options, at, name),
  )
}

function isAnothers({ store, takesOverNames }: VisibleLinksOptions, at: string, name: string): boolean {
  if (takesOverNames === undefined || lookOrNothing(store.disk, `${at}/${name}`)?.kind !== "link")
    return false
  return takesOverNames(store.disk.readLink(`${at}/${name}`) ?? "")
}

function isVisible(options: VisibleLinksOptions, at: string, name: string): boolean {
  const { disk } = options.store
  const folders = options.linksEachFile ? foldersOf(name) : []
  if (folders.some((folder) => disk.look(`${at}/${folder}`)?.kind !== "directory")) return false
  return isOurLink(options, at, name)
}

/** Makes all visible links, once nothing of an older revision is in view. */
export function putVisible(options: VisibleLinksOptions, at: string, slot: Slot): void {
  // What was a folder before may be a file now.
  if (options.linksEachFile && !areVisible(options, at, slot))
    removeOthers(options, at, visibleNames(options, pathsOf(slot)))
  makeVisible(options, at, slot, true)
}

/** Makes the visible links that are missing; `replaces` those at whose place a file may be taken over. */
export function makeVisible(options: VisibleLinksOptions, at: string, slot: Slot, replaces: boolean): void {
  const { store } = options
  const { disk } = store
  for (const name of visibleNames(options, pathsOf(slot))) {
    if (isVisible(options, at, name)) continue
    // A link of ours may have been replaced by a file, as `sed -i` does it.
    checkName(options, at, name)
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

/** Removes our visible links but those of a revision; undefined: all. */
export function removeUnwanted(options: VisibleLinksOptions, at: string, slot: Slot | undefined): void {
  const { disk } = options.store
  const wanted = slot === undefined ? new Set<string>() : visibleNames(options, pathsOf(slot))
  if (options.linksEachFile) {
    removeOthers(options, at, wanted)
    return
  }
  for (const name of disk.list(at)) {
    if (!wanted.has(name) && isOurLink(options, at, name)) disk.unlink(`${at}/${name}`)
  }
}

/** Removes our links but those of `wanted`, and the folders that this empties; true when it removed anything. */
function removeOthers(
  options: VisibleLinksOptions,
  at: string,
  wanted: ReadonlySet<string>,
  folder = "",
): boolean {
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

function isOurLink(options: VisibleLinksOptions, at: string, name: string): boolean {
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

/** Throws `publish/foreign-file` for the first of these paths of a revision that cannot be made visible. */
export function checkVisible(options: VisibleLinksOptions, at: string, paths: Iterable<string>): void {
  for (const name of visibleNames(options, paths)) checkName(options, at, name)
}

/** The names at which something is that is not ours to replace. */
export function visibleFaults(options: VisibleLinksOptions, at: string, slot: Slot): string[] {
  const names = [...visibleNames(options, pathsOf(slot))].flatMap(
    (name) => visibleFault(options, at, name)?.name ?? [],
  )
  return [...new Set(names)]
}

function checkName(options: VisibleLinksOptions, at: string, name: string): void {
  const fault = visibleFault(options, at, name)
  const { path } = options.place?.folder ?? options.root
  if (fault !== undefined) throw foreignFile(`${path}/${fault.name}`, fault.what)
}

interface NameFault {
  name: string
  what: string
}

/** What is not ours to replace at a visible name, or at a folder above it, and why; undefined where nothing is. */
function visibleFault(options: VisibleLinksOptions, at: string, name: string): NameFault | undefined {
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
function folderFault(options: VisibleLinksOptions, at: string, name: string): NameFault | undefined {
  if (options.store.disk.look(`${at}/${name}`) === undefined || isOurLink(options, at, name)) return undefined
  return { name, what: IN_THE_WAY }
}

/** True for a folder in which nothing but links of ours is. */
function holdsOnlyOurs(options: VisibleLinksOptions, at: string, folder: string): boolean {
  const { disk } = options.store
  return disk.list(`${at}/${folder}`).every((entry) => {
    const name = `${folder}/${entry}`
    const isFolder = disk.look(`${at}/${name}`)?.kind === "directory"
    return isFolder ? holdsOnlyOurs(options, at, name) : isOurLink(options, at, name)
  })
}

/** Where a visible link leads. */
function targetOf({ link }: VisibleLinksOptions, name: string): string {
  return `${"../".repeat(foldersOf(name).length)}${link}/${name}`
}

function* pathsOf(slot: Slot): Iterable<string> {
  for (const file of slot.manifest.files) yield file.path
}

function visibleNames({ linksEachFile }: VisibleLinksOptions, paths: Iterable<string>): Set<string> {
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
