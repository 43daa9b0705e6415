import { mkdir, stat } from "node:fs/promises"
import { dirname } from "node:path"

/**
 * Makes a folder and those above it; one that is there is fine. Throws the errno of the call that failed.
 *
 * Not `mkdir` with `recursive`: that takes ENOENT for a missing parent and tries again without end where the parent is
 * there, as beneath /proc, in a thread that nothing can stop.
 */
export async function makeFolder(path: string, mode?: number): Promise<void> {
  if (await isMade(path, mode)) return
  if (dirname(path) !== path) await makeFolder(dirname(path), mode)
  await mkdir(path, mode).catch((error: NodeJS.ErrnoException) => acceptFolder(path, error))
}

/** False for ENOENT: a folder above is missing. */
async function isMade(path: string, mode: number | undefined): Promise<boolean> {
  try {
    await mkdir(path, mode)
    return true
  } catch (error) {
    const failure = error as NodeJS.ErrnoException
    if (failure.code === "ENOENT") return false
    await acceptFolder(path, failure)
    return true
  }
}

/** Throws the failure unless there is a folder, which another process may just have made. */
async function acceptFolder(path: string, failure: NodeJS.ErrnoException): Promise<void> {
  if (!(await isFolder(path))) throw failure
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}
