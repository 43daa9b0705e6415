import { sha256 } from "@headrace/shared/foundation/digest"
import type { Disk, FileStatus } from "../disk/disk.ts"
import { lookOrNothing } from "../disk/look-or-nothing.ts"
import type { ManifestFile } from "./manifest.ts"
import type { Permissions } from "./permissions.ts"

const OURSELVES = process.geteuid?.()

/**
 * Checks a published file against its manifest: kind, mode, owner, size, and content — by inode and
 * modification time as git's index does, by digest when those differ. Gives the entry, with inode and time as
 * they are, or undefined: when it differs, and when it cannot be examined.
 */
export function verifyFile(
  disk: Disk,
  path: string,
  file: ManifestFile,
  permissions: Permissions,
): ManifestFile | undefined {
  const found = lookOrNothing(disk, path)
  if (found?.kind !== "file" || found.size !== file.size || found.mode !== file.mode) return undefined
  if (!isOwnedAs(found, permissions)) return undefined
  if (found.inode === file.inode && found.modified === file.modified) return file
  if (!readSound(disk, path, file.sha256)) return undefined
  return { ...file, inode: found.inode, modified: found.modified }
}

/** A file's content; undefined when it has another digest or, damage like any other, cannot be read. */
export function readSound(disk: Disk, path: string, digest: string): Buffer | undefined {
  try {
    const content = disk.read(path)
    return sha256(content) === digest ? content : undefined
  } catch {
    return undefined
  }
}

/** True when something published belongs to those whom the permissions name, or to us. */
export function isOwnedAs(found: FileStatus, { uid = OURSELVES, gid }: Permissions): boolean {
  return (uid === undefined || uid === null || uid === found.uid) && (gid === undefined || gid === found.gid)
}
