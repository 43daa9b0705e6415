import fs from "node:fs"
import { HeadraceError } from "@headrace/shared/foundation/errors"

const PRIVATE = 0o700
const STICKY_FOR_ALL = 0o1002

/** Only root makes anything here. */
const OF_ROOT = "/run"
/** Where everybody may make something and nobody remove what is another's (sticky); the first that there is. */
const OF_ALL = ["/run/lock", "/tmp", "/dev/shm"]

/**
 * The folder for the locks of the stores of one user, made where it is not there: private to that user, and no place
 * that readers of a projection have mounted. Any program that can open a file can hold an flock(2) on it, through a read-only
 * mount as well, so a lock inside of a projection would be anybody's.
 *
 * `HEADRACE_LOCK_FOLDER` names another one: programs in several containers exclude each other only with one that they
 * share. Throws `publish/no-lock-folder`.
 */
export function lockFolder(owner: number, named = process.env.HEADRACE_LOCK_FOLDER): string {
  const candidates = named
    ? [named]
    : [...ofRoot(owner), ...OF_ALL.filter(isForAll)].map((base) => placeIn(base, owner))
  const found = candidates.find((folder) => isPrivate(folder, owner))
  if (found !== undefined) return found
  throw new HeadraceError(
    "publish/no-lock-folder",
    `there is no private folder of user ${owner} for locks: ${candidates.join(", ")}`,
    { hint: "Name one that this user owns, with mode 0700, in HEADRACE_LOCK_FOLDER." },
  )
}

function ofRoot(owner: number): string[] {
  return owner === 0 ? [OF_ROOT] : []
}

function placeIn(base: string, owner: number): string {
  return base === OF_ROOT ? `${base}/headrace` : `${base}/headrace-${owner}`
}

function isForAll(base: string): boolean {
  const found = fs.lstatSync(base, { throwIfNoEntry: false })
  return found?.isDirectory() === true && (found.mode & STICKY_FOR_ALL) === STICKY_FOR_ALL
}

/** True when the folder is, or could be made, the owner's own: what a stranger has put in its place has no say. */
function isPrivate(folder: string, owner: number): boolean {
  try {
    make(folder, owner)
    const found = fs.lstatSync(folder)
    return found.isDirectory() && found.uid === owner && (found.mode & 0o022) === 0
  } catch {
    return false
  }
}

function make(folder: string, owner: number): void {
  if (fs.lstatSync(folder, { throwIfNoEntry: false })) return
  try {
    fs.mkdirSync(folder, { mode: PRIVATE })
  } catch (error) {
    // Another process makes it at the same time.
    if (fs.lstatSync(folder, { throwIfNoEntry: false })) return
    throw error
  }
  // Root works on a store of another user, whose own programs need the same lock.
  if (owner !== process.geteuid?.()) fs.lchownSync(folder, owner, -1)
}
