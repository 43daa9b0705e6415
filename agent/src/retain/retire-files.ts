import { setImmediate } from "node:timers/promises"
import { foldersOf } from "@headrace/shared/foundation/folders-of"
import type { Disk } from "../disk/disk.ts"
import { withinFolderOf } from "../disk/within-folder-of.ts"
import type { ManifestFile } from "../store/manifest.ts"
import type { ProjectionState, ShownSlot } from "../store/projection-state.ts"
import { STAGED_CONTENT } from "../store/staging.ts"
import { readableSlots, STAGING_PREFIX } from "../store/store.ts"
import { isSameInode } from "./freshen.ts"
import { dropTwins, type Twins, writeTwins } from "./twins.ts"

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
 * IN_DELETE_SELF, and its folder IN_MOVED_TO. The folders above are touched as well (IN_ATTRIB), in every revision that is
 * kept: a watcher that is still on an older one's folder hears of each flip that way. A file without a twin is touched as
 * well. Inodes that the revision after shows are left alone. Without the flip to `number` nothing is retired. Never fails:
 * what is shown is shown.
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

/** Does now what the last flip has left to do. */
export async function notifyOfLastFlip(projection: ProjectionState): Promise<void> {
  const { notifyWatchers } = projection
  projection.notifyWatchers = undefined
  await notifyWatchers?.()
}

async function replaceRetired(
  projection: ProjectionState,
  { before, files, twins, additions }: Retiring,
): Promise<void> {
  const { layout } = projection
  const isReady = await twins.ready
  const contents = contentsThatKeep(projection)
  for (const file of files) {
    const twin = isReady ? twins.paths.get(file.path) : undefined
    if (twin !== undefined) replaceByTwin(projection, contents, file, twin)
    else if (!file.isMoved) touchBeneath(projection, layout.content(before), file.path)
    await setImmediate()
  }
  const changed = new Set(["", ...[...files.map(({ path }) => path), ...additions].flatMap(foldersOf)])
  // The revision's own folder gets an event by a twin in it, and recursive watchers of the projection need no second one.
  const hasEvent = isReady && [...twins.paths.keys()].some((file) => !file.includes("/"))
  for (const content of contents) {
    const isBefore = content === layout.content(before)
    for (const folder of changed) {
      if (folder !== "" || !isBefore || !hasEvent) touchBeneath(projection, content, folder)
    }
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
    const inode = inodeAt(disk, `${content}/${path}`)
    if (inode === undefined || (later.has(path) && inode === inodeAt(disk, `${after.content}/${path}`)))
      continue
    retired.push({ path, inode, isMoved: inodes.has(inode) })
  }
  return retired
}

/** Where an inode can have names: the revisions that are not shown, and the clone that another process keeps staged. */
function contentsThatKeep({ disk, store, layout }: ProjectionState): string[] {
  const shown = layout.shown()
  const kept = readableSlots(store).filter(({ number }) => number !== shown)
  const staged = disk.list(store.work.path).filter((name) => name.startsWith(STAGING_PREFIX))
  return [
    ...kept.map((slot) => layout.content(slot)),
    ...staged.map((name) => `${store.work.path}/${name}/${STAGED_CONTENT}`),
  ]
}

function replaceByTwin(
  { disk }: ProjectionState,
  contents: readonly string[],
  { path, inode }: Retiring["files"][number],
  twin: string,
): void {
  const name = path.slice(path.lastIndexOf("/") + 1)
  const keeping = contents.filter((content) => inodeAt(disk, `${content}/${path}`) === inode)
  for (const [index, content] of keeping.entries()) {
    withinFolderOf(disk, content, path, (folder) => {
      if (disk.look(`${folder}/${name}`)?.inode !== inode) return
      const spare = `${twin}.${index}`
      disk.link(twin, spare)
      disk.rename(spare, `${folder}/${name}`)
    })
  }
}

/** Undefined where nothing is, or what cannot be examined: that has no event, and is for the next publish to report. */
function inodeAt(disk: Disk, path: string): number | undefined {
  try {
    return disk.look(path)?.inode
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
