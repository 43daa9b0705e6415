import type { ByteRoom } from "@headrace/shared/foundation/byte-room"
import { sha256 } from "@headrace/shared/foundation/digest"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { Handle } from "../disk/disk.ts"
import type { ManifestFile } from "../store/manifest.ts"
import { fileMode, type Permissions } from "../store/permissions.ts"
import type { RevisionFile } from "../store/revision.ts"
import { folderOf, makeFoldersOf, type Staging, syncAndClose } from "../store/staging.ts"

/** Files being synced at once: enough for the file system to commit many together, few descriptors. */
const IN_FLIGHT = 64

export interface WriteOptions {
  permissions: Permissions
  /** fsync each file before it is closed. */
  sync: boolean
  signal?: AbortSignal | undefined
  /** Room for contents, over all projections; absent: as much as there is. */
  contents?: ByteRoom | undefined
  /** An equal file at hand, to copy where it could not be linked; undefined: ask the revision. */
  local(file: RevisionFile): Buffer | undefined
}

/**
 * Writes files into a staged revision, each a new inode with its exact mode and owner. Throws
 * `publish/wrong-content` when what is read is not what the revision promised, `disk/…` when a step fails; of a sync
 * that is still under way makeDurable reports.
 */
export async function writeChanged(
  staging: Staging,
  files: readonly RevisionFile[],
  options: WriteOptions,
): Promise<void> {
  for (const file of files) {
    options.signal?.throwIfAborted()
    const write = () => writeFile(staging, file, options)
    await (options.contents ? options.contents.within(file.size, options.signal, write) : write())
    staging.files.set(file.path, entryOf(staging, file))
    staging.unsynced.add(folderOf(file.path))
    if (staging.syncing.size >= IN_FLIGHT) await Promise.race(staging.syncing)
    if (staging.failed.length > 0) throw staging.failed[0]
  }
}

async function writeFile(staging: Staging, file: RevisionFile, options: WriteOptions): Promise<void> {
  const content = options.local(file) ?? (await file.read())
  checkContent(file, content)
  finishFile(staging, create(staging, file, content, options.permissions), options.sync)
}

/**
 * Writes one file of ours (a manifest) into the staging folder. `isOwn`: it stays this process's own where the
 * content is given to another user, since an owner can change what later runs of ours read there and believe.
 */
export function writeBeside(
  staging: Staging,
  name: string,
  content: Uint8Array,
  options: Pick<WriteOptions, "permissions" | "sync"> & { isOwn: boolean },
): void {
  const { disk } = staging.store
  const { uid, ...group } = options.permissions
  const handle = disk.createFile(`${staging.path}/${name}`)
  try {
    disk.write(handle, content)
    own(staging, handle, group.file, options.isOwn || uid === undefined ? group : { ...group, uid })
  } catch (error) {
    disk.close(handle)
    throw error
  }
  finishFile(staging, handle, options.sync)
}

/** Ends the writing of a file: synced in the background, or closed at once. */
export function finishFile(staging: Staging, handle: Handle, sync: boolean): void {
  if (sync) syncAndClose(staging, handle)
  else staging.store.disk.close(handle)
}

function create(staging: Staging, file: RevisionFile, content: Buffer, permissions: Permissions): Handle {
  const { disk } = staging.store
  makeFoldersOf(staging, file.path, permissions)
  const handle = disk.createFile(`${staging.content}/${file.path}`)
  try {
    disk.write(handle, content)
    own(staging, handle, fileMode(permissions, file.mode), permissions)
  } catch (error) {
    disk.close(handle)
    throw error
  }
  return handle
}

function entryOf(staging: Staging, file: RevisionFile): ManifestFile {
  const found = staging.store.disk.look(`${staging.content}/${file.path}`)
  if (!found) throw new HeadraceError("publish/lost-file", `${file.path} vanished while it was staged`)
  const { mode, inode, modified } = found
  return { path: file.path, mode, size: file.size, sha256: file.sha256, inode, modified }
}

// The owner first: chown(2) clears the set-id bits.
function own(staging: Staging, handle: Handle, mode: number, { uid, gid }: Permissions): void {
  const { disk } = staging.store
  if (uid !== undefined || gid !== undefined) disk.setOwner(handle, uid ?? -1, gid ?? -1)
  disk.setMode(handle, mode)
}

function checkContent(file: RevisionFile, content: Buffer): void {
  if (content.length === file.size && sha256(content) === file.sha256) return
  throw new HeadraceError(
    "publish/wrong-content",
    `${JSON.stringify(file.path)} has ${content.length} bytes of another digest than the revision promised`,
    { hint: "Publish again; it changed while it was read.", fields: { path: file.path } },
  )
}
