import { spawn } from "node:child_process"
import { errnoName } from "./errno-name.ts"
import { loadKoffi } from "./load-koffi.ts"

const LOCK_SHARED = 1
const LOCK_EXCLUSIVE = 2
const LOCK_WITHOUT_WAITING = 4
const AT_CWD = -100
const RENAME_EXCHANGE = 2
const RENAME_SWAP = 2
/** man 2 ioctl_iflags; what `chattr +T` sets. */
const FS_IOC_GETFLAGS = 0x80086601
const FS_IOC_SETFLAGS = 0x40086602
const FS_TOPDIR_FL = 0x20000

/** The system calls that Node lacks. Each fails with an Error whose `code` is the errno's name where known. */
export interface NativeCalls {
  /** False when another process holds the lock. */
  flock(fd: number, kind: "shared" | "exclusive"): Promise<boolean>
  syncFileSystem(fd: number, path: string): Promise<void>
  exchange(a: string, b: string): void
  /** Asks ext4 to place each new subfolder in another part of the disk; where it cannot, nothing happens. */
  spreadFolders(fd: number): void
}

let loaded: NativeCalls | undefined

/**
 * Through koffi where it is installed, or through the programs `flock` and `sync` of the system. Without
 * either it does without: see weakerHere. Loaded at first use.
 */
export function nativeCalls(): NativeCalls {
  loaded ??= throughKoffi() ?? throughPrograms
  return loaded
}

/** Undefined where koffi (an optional dependency) or flock is not there. Linux's own calls have a stand-in each. */
export function throughKoffi(): NativeCalls | undefined {
  if (process.env.HEADRACE_NO_NATIVE) return undefined
  try {
    const koffi = loadKoffi()
    const libc = koffi.load(null)
    const flock = libc.func("int flock(int fd, int operation)")
    const syncfs = optional(() => libc.func("int syncfs(int fd)"))
    const renameat2 = optional(() =>
      libc.func(
        "int renameat2(int olddir, const char *oldpath, int newdir, const char *newpath, unsigned int flags)",
      ),
    )
    // macOS: man 2 renamex_np.
    const renamex = optional(() =>
      libc.func("int renamex_np(const char *from, const char *to, unsigned int flags)"),
    )
    const ioctl = libc.func("int ioctl(int fd, unsigned long request, _Inout_ int *flags)")
    return {
      async flock(fd, kind) {
        const operation = (kind === "shared" ? LOCK_SHARED : LOCK_EXCLUSIVE) | LOCK_WITHOUT_WAITING
        if (flock(fd, operation) === 0) return true
        const errno = errnoName(koffi.errno())
        if (errno === "EAGAIN" || errno === "EWOULDBLOCK") return false
        throw systemError("flock", errno)
      },
      // On a thread, since it may wait for the disk for seconds. errno belongs to that thread and is lost.
      async syncFileSystem(fd, path) {
        if (syncfs === undefined) return throughPrograms.syncFileSystem(fd, path)
        const result = await new Promise<number>((resolve, reject) => {
          syncfs.async(fd, (error: Error | null, value: number) => (error ? reject(error) : resolve(value)))
        })
        if (result !== 0) throw systemError("syncfs", "EIO")
      },
      exchange(a, b) {
        if (renameat2 === undefined && renamex === undefined) throw systemError("renameat2", "ENOSYS")
        const result = renameat2?.(AT_CWD, a, AT_CWD, b, RENAME_EXCHANGE) ?? renamex?.(a, b, RENAME_SWAP)
        if (result !== 0) throw systemError("renameat2", errnoName(koffi.errno()))
      },
      spreadFolders(fd) {
        const flags = [0]
        if (process.platform !== "linux" || ioctl(fd, FS_IOC_GETFLAGS, flags) !== 0) return
        ioctl(fd, FS_IOC_SETFLAGS, [(flags[0] ?? 0) | FS_TOPDIR_FL])
      },
    }
  } catch {
    return undefined
  }
}

/** util-linux's or BusyBox's `flock` locks the open file that it inherits from us, so the lock stays ours. */
export const throughPrograms: NativeCalls = {
  async flock(fd, kind) {
    const code = await run("flock", ["-n", kind === "shared" ? "-s" : "-x", "3"], fd)
    if (code === 0 || code === NO_PROGRAM) return true
    if (code === 1) return false
    throw systemError("flock", "ENOSYS")
  },
  async syncFileSystem(_fd, path) {
    // Elsewhere than on Linux it knows no flag, and syncs everything.
    const args = process.platform === "linux" ? ["-f", path] : []
    if ((await run("sync", args)) !== 0) throw systemError("syncfs", "EIO")
  },
  exchange() {
    throw systemError("renameat2", "ENOSYS")
  },
  spreadFolders() {},
}

/** What is weaker on this machine than on a Linux with koffi, each in a sentence; empty: nothing. */
export async function weakerHere(): Promise<string[]> {
  if (throughKoffi() !== undefined && process.platform === "linux") return []
  const hasFlock = throughKoffi() !== undefined || (await run("flock", ["--version"])) === 0
  const lock = "no flock: a second agent on the same folder is not noticed, and readers hold no revision"
  const sync = "no syncfs: a large revision is made durable by sync(1), which syncs every file system"
  return [...(hasFlock ? [] : [lock]), ...(process.platform === "linux" ? [] : [sync])]
}

/** What a shell gives for a program that is not there. */
const NO_PROGRAM = 127

/** The exit code of a program, NO_PROGRAM when it is not there. */
function run(program: string, args: string[], inherited?: number): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const stdio = ["ignore", "ignore", "ignore", ...(inherited === undefined ? [] : [inherited])] as const
    const child = spawn(program, args, { stdio: [...stdio] })
    child.on("error", (error) => {
      if (Reflect.get(error, "code") === "ENOENT") resolve(NO_PROGRAM)
      else reject(error)
    })
    child.on("close", resolve)
  })
}

function optional<T>(load: () => T): T | undefined {
  try {
    return load()
  } catch {
    return undefined
  }
}

function systemError(call: string, code: string): Error {
  return Object.assign(new Error(`${call}: ${code}`), { code })
}
