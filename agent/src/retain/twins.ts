import type { Handle } from "../disk/disk.ts"
import { lookOrNothing } from "../disk/look-or-nothing.ts"
import { removeTree } from "../disk/remove-tree.ts"
import type { ManifestFile } from "../store/manifest.ts"
import type { ProjectionState } from "../store/projection-state.ts"
import { readSound } from "../store/read-sound.ts"
import { TWINS_PREFIX, uniqueName } from "../store/store.ts"

const FOLDER_MODE = 0o755
/** Most files and bytes that one flip copies. */
const MOST_FILES = 512
const MOST_BYTES = 32 * 1024 * 1024
/** Room that stays free, in bytes and in inodes. */
const SPARE_BYTES = 4 * 1024 * 1024
const SPARE_INODES = 64

/** Copies of published files, each of the same content, mode and owner, in a folder of their own. */
export interface Twins {
  folder: string
  /** By the path of the file. */
  paths: Map<string, string>
  /** Resolves, never rejects, when all are closed: true when they are durable too. */
  ready: Promise<boolean>
}

/**
 * Copies files of a published directory, each into a new inode. `sync` makes each durable by fsync; otherwise that is the
 * caller's. A file that is not what was published has no twin, and none has one where there is little room: a twin is for
 * the convenience of watchers and takes nothing from publishing.
 */
export function writeTwins(
  projection: ProjectionState,
  content: string,
  files: readonly ManifestFile[],
  sync: boolean,
): Twins {
  const { disk, store, log, path } = projection
  const folder = `${store.work.path}/${uniqueName(TWINS_PREFIX)}`
  const paths = new Map<string, string>()
  const closing: Promise<void>[] = []
  try {
    disk.makeDirectory(folder, FOLDER_MODE)
    for (const file of chosen(projection, files)) {
      const twin = `${folder}/${paths.size}`
      const written = copy(projection, `${content}/${file.path}`, file, twin)
      if (written === undefined) continue
      closing.push(syncAndClose(projection, written, sync))
      paths.set(file.path, twin)
    }
  } catch (error) {
    log.warn({ err: error, path }, "replaced files could not be copied, so fewer watchers notice")
  }
  const ready = Promise.allSettled(closing).then((ends) => ends.every(({ status }) => status === "fulfilled"))
  return { folder, paths, ready }
}

/** Removes twins that have taken no place. What cannot be removed now is a leftover for the next recovery. */
export async function dropTwins({ disk, log, path }: ProjectionState, twins: Twins): Promise<void> {
  await twins.ready
  await removeTree(disk, twins.folder).catch((error: unknown) => {
    log.warn({ err: error, path }, "copies of replaced files were left behind")
  })
}

function chosen({ disk, store }: ProjectionState, files: readonly ManifestFile[]): ManifestFile[] {
  const room = disk.space(store.work.path)
  let bytes = Math.min(MOST_BYTES, room.bytes - SPARE_BYTES)
  const most = Math.min(MOST_FILES, room.inodes - SPARE_INODES)
  return files
    .filter(({ size }) => {
      bytes -= size
      return bytes >= 0
    })
    .slice(0, Math.max(0, most))
}

/** Writes one twin; undefined where the file is not what was published. */
function copy(
  { disk }: ProjectionState,
  source: string,
  file: ManifestFile,
  twin: string,
): Handle | undefined {
  const found = lookOrNothing(disk, source)
  if (found?.kind !== "file" || found.mode !== file.mode) return undefined
  const content = readSound(disk, source, file.sha256)
  if (content === undefined) return undefined
  const handle = disk.createFile(twin)
  try {
    disk.write(handle, content)
    // The owner first: chown(2) clears the set-id bits.
    disk.setOwner(handle, found.uid, found.gid)
    disk.setMode(handle, file.mode)
    return handle
  } catch (error) {
    disk.close(handle)
    throw error
  }
}

async function syncAndClose({ disk }: ProjectionState, file: Handle, sync: boolean): Promise<void> {
  try {
    if (sync) await disk.sync(file)
  } finally {
    disk.close(file)
  }
}
