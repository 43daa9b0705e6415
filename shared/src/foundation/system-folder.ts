import { realpathSync } from "node:fs"

/** The folders at the top that belong to the system (man 7 hier), with those of all homes. */
const SYSTEM =
  "bin boot dev etc home lib lib32 lib64 libx32 lost+found media mnt opt proc root run sbin sys tmp usr var"
const FOLDERS: ReadonlySet<string> = new Set(["/", ...SYSTEM.split(" ").map((name) => `/${name}`)])

/** True for the root of the file system, and for what lies right beneath it and is the system's: no place for files of one purpose. */
export function isSystemFolder(path: string): boolean {
  return FOLDERS.has(path) || FOLDERS.has(real(path))
}

function real(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
