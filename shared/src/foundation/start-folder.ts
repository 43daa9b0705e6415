import { realpathSync } from "node:fs"

/**
 * Where to start another program: undefined, in this process's own folder, as long as that has a path. git and others
 * refuse to start in a folder that was removed (getcwd(3), ENOENT), as may happen to one that a long-lived process was
 * started in.
 */
export function startFolder(): string | undefined {
  try {
    // Asks the system each time; process.cwd() remembers.
    realpathSync.native(".")
    return undefined
  } catch {
    return "/"
  }
}
