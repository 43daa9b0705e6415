import { statfsSync } from "node:fs"
import { dirname } from "node:path"

/** Magic numbers of file systems that keep nothing on a disk (statfs(2)): tmpfs and ramfs. */
const IN_MEMORY = new Set([0x01021994, 0x858458f6])

/** True when a path, or the nearest folder above it that is there, is on a file system in memory. */
export function isInMemory(path: string): boolean {
  try {
    return IN_MEMORY.has(statfsSync(path).type)
  } catch {
    return path !== dirname(path) && isInMemory(dirname(path))
  }
}
