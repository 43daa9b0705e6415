import { setImmediate } from "node:timers/promises"
import { checkRealFolders } from "../disk/check-real-folders.ts"
import { errnoOf } from "../disk/disk-error.ts"
import type { ManifestFile } from "../store/manifest.ts"
import type { Permissions } from "../store/permissions.ts"
import { verifyFile } from "../store/read-sound.ts"
import { folderOf, makeFoldersOf, type Staging } from "../store/staging.ts"

const BATCH = 256
/**
 * What keeps a file from being written too. Anything else is about the one that is linked: too many links (65,000 on
 * ext4), another's file (protected_hardlinks), another mount, a disk that does not give it any more.
 */
const NO_ROOM = ["ENOSPC", "EDQUOT", "EROFS", "EEXIST"]

export interface LinkOptions {
  permissions: Permissions
  /** The caller has just verified these files. */
  verified?: boolean
}

/**
 * Links files of a published directory into a staged one. What is not, any more, what its manifest says (a
 * consumer wrote in place, a disk lost it, its mode or owner was changed) is left out, and so is what the
 * file system refuses to link: the caller writes those. Gives the paths left out.
 */
export async function linkUnchanged(
  staging: Staging,
  published: string,
  files: Iterable<ManifestFile>,
  options: LinkOptions,
): Promise<string[]> {
  const left: string[] = []
  let done = 0
  const isReached = checkRealFolders(staging.store.disk, published)
  for (const file of files) {
    const source = `${published}/${file.path}`
    if (!isReached(file.path) || !linkFile(staging, source, file, file.path, options)) left.push(file.path)
    if (++done % BATCH === 0) await setImmediate()
  }
  return left
}

/** Links one verified file to `path` of the staging. False when it cannot be used. */
export function linkFile(
  staging: Staging,
  source: string,
  file: ManifestFile,
  path: string,
  { permissions, verified }: LinkOptions,
): boolean {
  const { disk } = staging.store
  const known = verified ? file : verifyFile(disk, source, file, permissions)
  if (!known) return false
  const target = `${staging.content}/${path}`
  makeFoldersOf(staging, path, permissions)
  try {
    disk.link(source, target)
    staging.files.set(path, known.path === path ? known : { ...known, path })
  } catch (error) {
    if (NO_ROOM.includes(errnoOf(error))) throw error
    return false
  }
  staging.unsynced.add(folderOf(path))
  return true
}
