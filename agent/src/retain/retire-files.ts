import { setImmediate } from "node:timers/promises"
import { foldersOf } from "@headrace/shared/foundation/folders-of"
import type { Disk, FileStatus } from "../disk/disk.ts"
import { withinFolderOf } from "../disk/within-folder-of.ts"
import type { ManifestFile } from "../store/manifest.ts"
import type { ProjectionState, ShownSlot } from "../store/projection-state.ts"
import { STAGED_CONTENT } from "../store/staging.ts"
import { readableSlots, STAGING_PREFIX } from "../store/store.ts"
import { isSameInode } from "./freshen.ts"
import { dropTwins, type Twins, writeTwins } from "./twins.ts"

/** While one flip follows the other, folders of the revisions further back are touched this often, in milliseconds. */
const TOUCH_EVERY = 1000

/** What a flip retires. */
export interface Retiring {
  before: ShownSlot
  /** Files of the revision before that the one after does not show, with their inodes. */
  files: { path: string; inode: number; isMoved: boolean }[]
  twins: Twins
  /** Names of the revision after that the one before lacks. */
  additions: string[]
}

/**
 * Prepares a flip from `before` to the files that `content` holds: finds what it retires, and makes the twins of that.
 * A watcher that followed our links watches an inode (inotify(7)), and the revision before stays, where the kubelet
 * removes it, so without this nothing would happen to that inode. Undefined when a flip retires nothing.
 */
export function prepareRetiring(
  projection: ProjectionState,
  before: ShownSlot | undefined,
  after: { content: string; files: readonly ManifestFile[] },
  sync: boolean,
): Retiring | undefined {
  const { layout } = projection
  // A flip of layout `file` is a rename over the file that is watched.
  if (before === undefined || layout.copies) return undefined
  const additions = after.files.flatMap(({ path }) => (before.files.has(path) ? [] : [path]))
  const files = retiredFiles(projection, before, after)
  if (files.length === 0 && additions.length === 0) return undefined
  const twins = writeTwins(
    projection,
    layout.content(before),
    files.flatMap(({ path }) => before.files.get(path) ?? []),
    sync,
  )
  return { before, files, twins, additions }
}

/**
 * Notifies watchers of what a flip has retired, after it. In each revision that keeps a retired file its twin takes its
 * place, so readers of that revision go on reading the same content, and the watched inode loses its last name: IN_ATTRIB,
 * IN_DELETE_SELF, and its folder IN_MOVED_TO. The folders above are touched as well (IN_ATTRIB). A file without a twin is
 * touched as well. Inodes that the revision after shows are left alone. Without the flip to `number` nothing is retired.
 * Never fails: what is shown is shown. What older revisions lack then, touchOlderFolders does.
 */
export async function retireFiles(
  projection: ProjectionState,
  retiring: Retiring,
  number: number,
): Promise<void> {
  const { log, path, layout } = projection
  try {
    if (layout.shown() === number) await replaceRetired(projection, retiring)
  } catch (error) {
    log.warn({ err: error, path }, "some watchers of the revision before were not notified")
  }
  await dropTwins(projection, retiring.twins)
}

/**
 * Does now what the last flip has left to do. `isPressed`: another flip is about to follow. Watchers that are still on a
 * folder of a revision further back are then notified after that one, or once in TOUCH_EVERY: to touch what may be
 * hundreds of revisions at each of many flips would slow them down, and wake recursive watchers as often.
 */
export async function notifyOfLastFlip(projection: ProjectionState, isPressed: boolean): Promise<void> {
  const { notifyWatchers, changedFolders } = projection
  projection.notifyWatchers = undefined
  await notifyWatchers?.()
  if (changedFolders.touched.size === 0) return
  if (isPressed && performance.now() - changedFolders.at < TOUCH_EVERY) return
  touchOlderFolders(projection)
}

/**
 * A watcher that is still on a folder of any revision that is kept hears of the flips since: IN_ATTRIB. A clone is left
 * alone: nobody reads it, and it would no longer be as its maker left it.
 */
function touchOlderFolders(projection: ProjectionState): void {
  const { log, path, changedFolders } = projection
  const failed: unknown[] = []
  function attempt(touch: () => void): void {
    try {
      touch()
    } catch (error) {
      failed.push(error)
    }
  }
  attempt(() => {
    for (const content of contentsNotShown(projection)) {
      for (const [folder, touched] of changedFolders.touched) {
        if (touched !== content) attempt(() => touchBeneath(projection, content, folder))
      }
    }
  })
  if (failed.length > 0)
    log.warn({ err: failed[0], path }, "some watchers of older revisions were not notified")
  projection.changedFolders = { touched: new Map(), at: performance.now() }
}

async function replaceRetired(
  projection: ProjectionState,
  { before, files, twins, additions }: Retiring,
): Promise<void> {
  const { layout } = projection
  const changed = new Set(["", ...[...files.map(({ path }) => path), ...additions].flatMap(foldersOf)])
  // Until the end they were touched nowhere: what fails on the way is left to touchOlderFolders.
  for (const folder of changed) projection.changedFolders.touched.set(folder, "")
  const isReady = await twins.ready
  const contents = contentsThatKeep(projection)
  for (const file of files) {
    const twin = isReady ? twins.paths.get(file.path) : undefined
    if (twin !== undefined) replaceByTwin(projection, contents, file, twin)
    else if (!file.isMoved) touchBeneath(projection, layout.content(before), file.path)
    await setImmediate()
  }
  // The revision's own folder gets an event by a twin in it, and recursive watchers of the projection need no second one.
  const hasEvent = isReady && [...twins.paths.keys()].some((file) => !file.includes("/"))
  for (const folder of changed) {
    if (folder !== "" || !hasEvent) touchBeneath(projection, layout.content(before), folder)
    projection.changedFolders.touched.set(folder, layout.content(before))
  }
}

/** By inode as it is on disk: a manifest keeps the one of a file that a twin has replaced since. */
function retiredFiles(
  { disk, layout }: ProjectionState,
  before: ShownSlot,
  after: { content: string; files: readonly ManifestFile[] },
): Retiring["files"] {
  const content = layout.content(before)
  const later = new Map(after.files.map((file) => [file.path, file]))
  const inodes = new Set(after.files.map(({ inode }) => inode))
  const retired: Retiring["files"] = []
  for (const [path, file] of before.files) {
    if (isSameInode(file, later.get(path))) continue
    const inode = statusAt(disk, `${content}/${path}`)?.inode
    const isShown = () => later.has(path) && statusAt(disk, `${after.content}/${path}`)?.inode === inode
    if (inode === undefined || isShown()) continue
    retired.push({ path, inode, isMoved: inodes.has(inode) })
  }
  return retired
}

/**
 * Where an inode can have names: the clone that another process keeps staged, and the revisions that are not shown, the
 * newest first.
 */
function contentsThatKeep(projection: ProjectionState): string[] {
  const { disk, store } = projection
  const staged = disk.list(store.work.path).filter((name) => name.startsWith(STAGING_PREFIX))
  return [
    ...staged.map((name) => `${store.work.path}/${name}/${STAGED_CONTENT}`),
    ...contentsNotShown(projection),
  ]
}

function contentsNotShown({ store, layout }: ProjectionState): string[] {
  const shown = layout.shown()
  const kept = readableSlots(store).filter(({ number }) => number !== shown)
  return kept.map((slot) => layout.content(slot)).reverse()
}

function replaceByTwin(
  { disk }: ProjectionState,
  contents: readonly string[],
  { path, inode }: Retiring["files"][number],
  twin: string,
): void {
  const name = path.slice(path.lastIndexOf("/") + 1)
  for (const [index, content] of contents.entries()) {
    const found = statusAt(disk, `${content}/${path}`)
    if (found?.inode !== inode) continue
    withinFolderOf(disk, content, path, (folder) => {
      if (disk.look(`${folder}/${name}`)?.inode !== inode) return
      const spare = `${twin}.${index}`
      disk.link(twin, spare)
      disk.rename(spare, `${folder}/${name}`)
    })
    // Hundreds of older revisions may be kept, which need not be asked when this was its last name.
    if (found.names === 1) return
  }
}

/** Undefined where nothing is, or what cannot be examined: that has no event, and is for the next publish to report. */
function statusAt(disk: Disk, path: string): FileStatus | undefined {
  try {
    return disk.look(path)
  } catch {
    return undefined
  }
}

function touchBeneath({ disk }: ProjectionState, content: string, path: string): void {
  withinFolderOf(disk, content, path, (folder) => {
    const place = `${folder}/${path.slice(path.lastIndexOf("/") + 1) || "."}`
    if (disk.look(place) !== undefined) disk.touch(place)
  })
}
