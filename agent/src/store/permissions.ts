/** Modes and owner of what is published, exact whatever the umask. */
export interface Permissions {
  /** Of a file that is not executable. Consumers share inodes across revisions, so nobody may write. */
  file: number
  executable: number
  /** With 0o2000 new entries take the directory's group, as a pod's fsGroup asks for. */
  directory: number
  /** Undefined: this process's own. Null, for who only looks: anybody. */
  uid?: number | null
  gid?: number
}

export const READ_ONLY: Permissions = { file: 0o444, executable: 0o555, directory: 0o755 }

const WRITE_BITS = 0o222

/** The mode on disk for a file's mode in its revision: the two usual ones as configured, any other without write bits. */
export function fileMode(permissions: Permissions, mode: number): number {
  if (mode === READ_ONLY.file) return permissions.file
  if (mode === READ_ONLY.executable) return permissions.executable
  return mode & 0o777 & ~WRITE_BITS
}
