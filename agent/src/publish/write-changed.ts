import { sha256 } from "@headrace/shared/foundation/digest"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { Handle } from "./disk.ts"
import type { ManifestFile } from "./manifest.ts"
import { fileMode, type Permissions } from "./permissions.ts"
import type { RevisionFile } from "./revision.ts"
import { folderOf, makeFoldersOf, type Staging } from "./staging.ts"

/** Files being synced at once: enough for the file system to commit many together, few descriptors. */
const IN_FLIGHT = 64

export interface WriteOptions {
  permissions: Permissions
  /** fsync each file before it is closed. */
  sync: boolean
  signal?: AbortSignal | undefined
  /** An equal file at hand, to copy where it could not be linked; undefined: ask the revision. */
  local(file: RevisionFile): Buffer | undefined
}

/**
 * Writes files into a staged revision, each a new inode with its exact mode and owner. Throws
 * `publish/wrong-content` when what is read is not what the revision promised, `disk/…` when any step fails,
 * the close among them.
 */
export async function writeChanged(
  staging: Staging,
  files: readonly RevisionFile[],
  options: WriteOptions,
): Promise<void> {
  const pending = new Set<Promise<void>>()
  const failed: unknown[] = []
  try {
    for (const file of files) {
      options.signal?.throwIfAborted()
      const content = options.local(file) ?? (await file.read())
      checkContent(file, content)
      const handle = create(staging, file, content, options.permissions)
      const finished: Promise<void> = finish(staging, file, handle, options.sync)
        .catch((error: unknown) => {
          failed.push(error)
        })
        .finally(() => pending.delete(finished))
      pending.add(finished)
      if (pending.size >= IN_FLIGHT) await Promise.race(pending)
      if (failed.length > 0) break
    }
  } finally {
    // Nothing may be in flight when the caller gives the staging up.
    await Promise.all(pending)
  }
  if (failed.length > 0) throw failed[0]
}

/** Writes one file of ours (a manifest) into the staging folder, beside the content. */
export async function writeBeside(
  staging: Staging,
  name: string,
  text: string,
  options: Pick<WriteOptions, "permissions" | "sync">,
): Promise<void> {
  const { disk } = staging.store
  const handle = disk.createFile(`${staging.path}/${name}`)
  try {
    disk.write(handle, Buffer.from(text))
    own(staging, handle, options.permissions.file, options.permissions)
    if (options.sync) await disk.sync(handle)
  } finally {
    disk.close(handle)
  }
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

async function finish(staging: Staging, file: RevisionFile, handle: Handle, sync: boolean): Promise<void> {
  const { disk } = staging.store
  try {
    if (sync) await disk.sync(handle)
  } finally {
    disk.close(handle)
  }
  staging.files.set(file.path, entryOf(staging, file))
  staging.unsynced.add(folderOf(file.path))
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
    { hint: "It changed while it was read; publish again.", fields: { path: file.path } },
  )
}
