import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, truncateSync, writeFileSync } from "node:fs"

export const FILE_SYSTEMS = ["ext4", "xfs", "btrfs"] as const
export type FileSystem = (typeof FILE_SYSTEMS)[number]

/** The smallest that mkfs of each accepts, in bytes. */
export const IMAGE_BYTES: Record<FileSystem, number> = {
  ext4: 48 * 2 ** 20,
  xfs: 320 * 2 ** 20,
  btrfs: 128 * 2 ** 20,
}
const MKFS_FLAGS: Record<FileSystem, string[]> = {
  ext4: ["-q", "-F"],
  xfs: ["-q", "-f"],
  btrfs: ["-q", "-f"],
}

/** What a program says on standard error goes into the error that it ends with. */
const QUIET: { stdio: ["ignore", "ignore", "pipe"] } = { stdio: ["ignore", "ignore", "pipe"] }

/** Why power cannot be cut on this file system here; undefined when it can. */
export function powerCutMissing(type: FileSystem): string | undefined {
  if (process.platform !== "linux") return "it needs Linux"
  if (process.getuid?.() !== 0) return "it needs root, to mount a loop device"
  if (!existsSync("/dev/loop-control")) return "it needs loop devices"
  if (!existsSync("/dev/fuse")) return "it needs FUSE"
  if (spawnSync(`mkfs.${type}`, ["-V"], { stdio: "ignore" }).error) return `mkfs.${type} is not installed`
  return undefined
}

/** Makes an empty file system in a file, with holes where it is zero. */
export function makeImage(type: FileSystem, image: string, bytes = IMAGE_BYTES[type]): void {
  writeFileSync(image, "")
  truncateSync(image, bytes)
  execFileSync(`mkfs.${type}`, [...MKFS_FLAGS[type], image], { stdio: "ignore" })
  execFileSync("fallocate", ["--dig-holes", image])
}

/** Copies an image in a fraction of its size's time. */
export function copyImage(image: string, copy: string): void {
  execFileSync("cp", ["--sparse=always", image, copy])
}

export function mountImage(image: string, mountPoint: string): void {
  execFileSync("mount", ["-o", "loop", image, mountPoint], QUIET)
}

export function unmount(mountPoint: string): void {
  execFileSync("umount", [mountPoint], QUIET)
}
