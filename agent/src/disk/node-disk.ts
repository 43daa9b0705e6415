import fs from "node:fs"
import type { Disk, FileStatus, Handle } from "./disk.ts"
import { diskError } from "./disk-error.ts"
import { lockFolder } from "./lock-folder.ts"
import { type NativeCalls, nativeCalls } from "./native-calls.ts"

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY, O_RDONLY, O_RDWR, O_DIRECTORY } = fs.constants
const FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
const PERMISSIONS = 0o7777
const SET_GROUP = 0o2000
const PRIVATE = 0o600
const FD_PATH = /^\/proc\/self\/fd\/(\d+)/

/** The real disk. */
export function openNodeDisk(native: () => NativeCalls = nativeCalls): Disk {
  const open = new Map<number, string>()
  const anchors = fs.existsSync("/proc/self/fd")

  function named(path: string): string {
    return path.replace(FD_PATH, (text, fd: string) => open.get(Number(fd)) ?? text).replace(/\/\.$/, "")
  }

  function attempt<T>(operation: string, path: string, action: () => T): T {
    try {
      return action()
    } catch (error) {
      throw diskError(operation, named(path), error)
    }
  }

  function handle(operation: string, path: string, flags: number, mode?: number): Handle {
    const fd = attempt(operation, path, () => fs.openSync(path, flags, mode))
    const found = { fd, path: named(path) }
    open.set(fd, found.path)
    return found
  }

  return {
    look: (path) => attempt("look at", path, () => status(path)),
    list: (path) => attempt("list", path, () => fs.readdirSync(path)),
    readLink: (path) => attempt("read the link", path, () => readLink(path)),
    read: (path) => {
      const file = handle("read", path, O_RDONLY | O_NOFOLLOW)
      try {
        return attempt("read", path, () => fs.readFileSync(file.fd))
      } finally {
        open.delete(file.fd)
        fs.closeSync(file.fd)
      }
    },
    space: (path) =>
      attempt("look at the space of", path, () => {
        const { bavail, bsize, files, ffree } = fs.statfsSync(path)
        return { bytes: bavail * bsize, inodes: files === 0 ? Number.POSITIVE_INFINITY : ffree }
      }),

    makeDirectory: (path, mode) =>
      attempt("make the folder", path, () => {
        fs.mkdirSync(path, 0o700)
        // Through the folder itself: chmod(2) would follow a link that somebody has put in its place.
        const fd = fs.openSync(path, FOLDER)
        try {
          // A volume with a group of its own (fsGroup) gives it to what is made in it, by a bit that each folder hands on.
          fs.fchmodSync(fd, mode | (fs.fstatSync(fd).mode & SET_GROUP))
        } finally {
          fs.closeSync(fd)
        }
      }),
    createFile: (path) => handle("create", path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, PRIVATE),
    write: (file, content) => attempt("write", file.path, () => writeAll(file.fd, content)),
    setMode: (file, mode) => attempt("set the mode of", file.path, () => fs.fchmodSync(file.fd, mode)),
    setOwner: (file, uid, gid) =>
      attempt("set the owner of", file.path, () => fs.fchownSync(file.fd, uid, gid)),
    close: (file) => {
      open.delete(file.fd)
      attempt("close", file.path, () => fs.closeSync(file.fd))
    },
    openDirectory: (path) => handle("open the folder", path, FOLDER),
    openFile: (path) => handle("open the file", path, O_RDONLY | O_NOFOLLOW),
    openLock: (folder, purpose) => {
      const { dev, ino, uid } = fs.fstatSync(folder.fd)
      const path = `${lockFolder(uid)}/${dev}-${ino}.${purpose}`
      const file = handle("open the lock file", path, O_RDWR | O_CREAT | O_NOFOLLOW, PRIVATE)
      if (uid !== process.geteuid?.()) fs.fchownSync(file.fd, uid, -1)
      return file
    },
    openLockFile: (path) => handle("open the lock file", path, O_RDWR | O_CREAT | O_NOFOLLOW, PRIVATE),

    link: (existing, path) => attempt("link", path, () => fs.linkSync(existing, path)),
    symlink: (target, path) => attempt("make the link", path, () => fs.symlinkSync(target, path)),
    rename: (from, to) => attempt(`rename ${named(from)} to`, to, () => fs.renameSync(from, to)),
    exchange: (a, b) => attempt(`swap ${named(a)} with`, b, () => native().exchange(a, b)),
    unlink: (path) => attempt("remove", path, () => fs.unlinkSync(path)),
    removeDirectory: (path) => attempt("remove the folder", path, () => fs.rmdirSync(path)),
    touch: (path) =>
      attempt("touch", path, () => {
        const now = new Date()
        fs.lutimesSync(path, now, now)
      }),

    spread: (folder) => native().spreadFolders(folder.fd),

    sync: (file) =>
      new Promise((resolve, reject) => {
        fs.fsync(file.fd, (error) => (error ? reject(diskError("fsync", file.path, error)) : resolve()))
      }),
    syncFileSystem: async (file) => {
      await native()
        .syncFileSystem(file.fd, file.path)
        .catch((error: unknown) => {
          throw diskError("syncfs", file.path, error)
        })
    },
    lock: async (file, kind) =>
      await native()
        .flock(file.fd, kind)
        .catch((error: unknown) => {
          throw diskError("lock", file.path, error)
        }),
    isAtItsPath: (file) => isAtItsPath(file),
    within: (directory) => (anchors ? `/proc/self/fd/${directory.fd}` : directory.path),
  }
}

function isAtItsPath({ fd, path }: Handle): boolean {
  try {
    const [open, there] = [fs.fstatSync(fd), fs.lstatSync(path)]
    return open.ino === there.ino && open.dev === there.dev
  } catch {
    return false
  }
}

function status(path: string): FileStatus | undefined {
  const found = lstat(path)
  if (!found) return undefined
  return {
    kind: kindOf(found),
    device: found.dev,
    inode: found.ino,
    names: found.nlink,
    mode: found.mode & PERMISSIONS,
    uid: found.uid,
    gid: found.gid,
    size: found.size,
    modified: found.mtimeMs,
    changed: found.ctimeMs,
  }
}

function lstat(path: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(path, { throwIfNoEntry: false })
  } catch (error) {
    // Beneath a file there is nothing.
    if (error instanceof Error && "code" in error && error.code === "ENOTDIR") return undefined
    throw error
  }
}

function kindOf(found: fs.Stats): FileStatus["kind"] {
  if (found.isFile()) return "file"
  if (found.isDirectory()) return "directory"
  return found.isSymbolicLink() ? "link" : "other"
}

function readLink(path: string): string | undefined {
  try {
    return fs.readlinkSync(path)
  } catch (error) {
    // EINVAL: something is there and is no link.
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "EINVAL")) {
      return undefined
    }
    throw error
  }
}

function writeAll(fd: number, content: Uint8Array): void {
  let written = 0
  while (written < content.length) written += fs.writeSync(fd, content, written, content.length - written)
}
