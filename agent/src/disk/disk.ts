/** An open file or directory; `path` is for messages. */
export interface Handle {
  fd: number
  path: string
}

/** `writer`: the one process that publishes; `change`: any program that changes a store, for as long as that takes. */
export type LockPurpose = "writer" | "change"

/** What is at a path, itself and not what a link leads to. */
export interface FileStatus {
  kind: "file" | "directory" | "link" | "other"
  device: number
  inode: number
  /** Hard links: how many paths lead to the inode. */
  names: number
  /** Permission bits with set-uid, set-gid and sticky. */
  mode: number
  uid: number
  gid: number
  size: number
  /** Milliseconds since the epoch, with the fraction that the file system gives. */
  modified: number
  /** The same for the last change of anything, attributes too, which no program can set back. */
  changed: number
}

/** Room on a file system for those who are not root. `inodes` is Infinity where it has no fixed number. */
export interface Space {
  bytes: number
  inodes: number
}

/**
 * Every disk operation of publishing and retaining: the one place where tests record, kill and fault.
 *
 * No operation follows a link in the last element of its path. Errors are HeadraceErrors `disk/…` that name
 * operation and path. Changes to names are synchronous (microseconds in the page cache, and their order is
 * the protocol); what waits for the device is asynchronous.
 */
export interface Disk {
  /** Undefined when nothing is there. */
  look(path: string): FileStatus | undefined
  list(path: string): string[]
  /** Undefined when nothing is there or it is no link. */
  readLink(path: string): string | undefined
  read(path: string): Buffer
  space(path: string): Space

  /** Fails when something is there. The mode is exact, whatever the umask, but for the set-gid bit, which the folder above hands on. */
  makeDirectory(path: string, mode: number): void
  /** Fails when something is there; for its owner alone until setMode. */
  createFile(path: string): Handle
  write(file: Handle, content: Uint8Array): void
  setMode(file: Handle, mode: number): void
  setOwner(file: Handle, uid: number, gid: number): void
  close(file: Handle): void
  /** Fails on a link. */
  openDirectory(path: string): Handle
  /** Opens a file to lock it, not to read it; fails on a link. */
  openFile(path: string): Handle
  /** Opens, or creates, the file that a lock of format 1 is held on. */
  openLockFile(path: string): Handle
  /** Opens a lock of a folder, for `lock`: a file outside of it, that only the folder's owner can open. */
  openLock(folder: Handle, purpose: LockPurpose): Handle

  link(existing: string, path: string): void
  symlink(target: string, path: string): void
  rename(from: string, to: string): void
  /** Swaps two directories in one step (renameat2 RENAME_EXCHANGE). */
  exchange(a: string, b: string): void
  unlink(path: string): void
  /** Removes an empty directory. */
  removeDirectory(path: string): void
  /** Sets the modification time to now. */
  touch(path: string): void

  /** A hint that the folder's subfolders come and go whole and are best placed far apart. Never fails. */
  spread(folder: Handle): void

  /** fsync(2). */
  sync(handle: Handle): Promise<void>
  /** syncfs(2) of the file system that the handle is on. */
  syncFileSystem(handle: Handle): Promise<void>
  /** flock(2) without waiting: false when another process holds it. Ends when the handle is closed. */
  lock(handle: Handle, kind: "shared" | "exclusive"): Promise<boolean>

  /** True while an open lock is the file at its path: one that was removed since keeps no other process out. */
  isAtItsPath(lock: Handle): boolean

  /** A path through an open directory (openat(2) in effect), which nobody can swap for a link meanwhile. */
  within(directory: Handle): string
}
