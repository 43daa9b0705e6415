import { readFileSync, statfsSync } from "node:fs"
import { tmpdir } from "node:os"

const MEMORY = "/dev/shm"
const DISK = "/var/tmp"
const TMPFS_MAGIC = 0x01021994
/** What one worker's tests take at most is a few hundred MB; a container's own default is 64 MB for all. */
const ENOUGH_BYTES = 2 ** 31

/**
 * Where tests make their folders: the folder that HEADRACE_TEST_DIR names, or memory. What waits there for a disk is
 * no test's business: those of a power cut have file systems of their own.
 */
export function scratchFolder(): string {
  return process.env.HEADRACE_TEST_DIR ?? (isRoomInMemory() ? MEMORY : tmpdir())
}

/** The same for what is about a disk: /var/tmp is on one, hier(7). */
export function diskFolder(): string {
  return process.env.HEADRACE_TEST_DIR ?? DISK
}

/** A tmpfs with room where programs can be run (some systems mount it `noexec`, mount(8)). */
function isRoomInMemory(): boolean {
  try {
    const { type, bavail, bsize } = statfsSync(MEMORY)
    if (type !== TMPFS_MAGIC || bavail * bsize < ENOUGH_BYTES) return false
    const mounted = readFileSync("/proc/self/mounts", "utf8")
      .split("\n")
      .find((line) => line.split(" ")[1] === MEMORY)
    return mounted !== undefined && !mounted.split(" ")[3]?.split(",").includes("noexec")
  } catch {
    return false
  }
}
