import type { Disk, FileStatus } from "./disk.ts"

/**
 * What is at a path; undefined when nothing is, and when that cannot be determined (EACCES, EIO, ESTALE, ELOOP,
 * ENAMETOOLONG, …). For places that readers use: what they cannot reach is damage like any other, and is written again.
 * Never for a decision to remove.
 */
export function lookOrNothing(disk: Pick<Disk, "look">, path: string): FileStatus | undefined {
  try {
    return disk.look(path)
  } catch {
    return undefined
  }
}
