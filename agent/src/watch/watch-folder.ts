import { existsSync, realpathSync, statSync } from "node:fs"
import { basename, join } from "node:path"
import { sha256 } from "@headrace/shared/foundation/digest"
import { errorMessage, hasCode } from "@headrace/shared/foundation/errors"
import { FULL_ID } from "@headrace/shared/foundation/object-id"
import { type FolderReading, fileIdentity, folderFiles } from "../assemble/folder-files.ts"
import type { FolderSnapshot } from "../assemble/inputs.ts"
import { type ListedFile, listFolder } from "../publish/read-folder-files.ts"
import { IDENTITY_NAME } from "../store/layout.ts"
import { waitOrNewer } from "./follow-latest.ts"
import { createLatest } from "./latest.ts"
import type { WatchPorts } from "./watch-ports.ts"

/** How often to look where the path leads, in milliseconds. */
const LOOK_EVERY = 1_000
/** How often to look at every file, in milliseconds: a publisher that renames nothing may write in place. */
const LIST_EVERY = 10_000
/** After so many looks at a folder that never is as it was, that is said. */
const RESTLESS_LOOKS = 10

/** The link that AtomicWriter and Headrace move. */
const DATA_LINK = "..data"

/** What a path led to when it was read. */
interface FolderState {
  /** Its own folder, links followed. */
  root: string
  /** Device and inode of it. */
  identity: string
  /** True when its publisher shows another folder in its place rather than write into this one. */
  isSwapped: boolean
  listed: readonly ListedFile[]
  /** Represents the names, and for what stat(2) reports of each file. */
  signature: string
}

/**
 * Gives what a folder holds, at first and after each change, until the signal aborts; text when it cannot be read. The
 * path's link is followed once for each look, and what is given was read beneath one folder that did not change
 * meanwhile. A folder that is written in place, and not swapped by its publisher, is given once two looks in a row have
 * found it the same.
 */
export async function watchFolder(
  path: string,
  ports: Pick<WatchPorts, "clock" | "hurry" | "onRead">,
  onChange: (found: FolderSnapshot | string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { clock, hurry = createLatest<true>() } = ports
  const reading: FolderReading = { known: new Map(), onRead: ports.onRead }
  let given: string | undefined
  let before: FolderState | undefined
  let read: Place | undefined
  let listedAt = Number.NEGATIVE_INFINITY
  let restless = 0

  function give(name: string, found: FolderSnapshot | string): void {
    if (name !== given) onChange(found)
    given = name
  }

  async function look(): Promise<void> {
    const place = placeOf(path)
    read = place
    const isSame = before?.identity === place.identity && before.root === place.root
    if (isSame && given === before?.signature && clock.now() - listedAt < LIST_EVERY) return
    const state = listAt(place)
    listedAt = clock.now()
    const isSettled = state.isSwapped || before?.signature === state.signature
    before = state
    restless = isSettled ? 0 : restless + 1
    if (restless === RESTLESS_LOOKS) give("restless", "it changes all the time")
    if (!isSettled || state.signature === given) return
    const snapshot = await readSnapshot(state, reading, signal)
    if (listAt(placeOf(path)).signature !== state.signature) return
    give(state.signature, snapshot)
  }

  while (!signal.aborted) {
    try {
      await look()
    } catch (error) {
      if (signal.aborted) return
      before = undefined
      const reason = troubleOf(path, read, error)
      if (reason !== undefined) give(reason, reason)
    }
    await waitOrNewer(LOOK_EVERY, hurry, hurry.current()?.version ?? 0, clock, signal).catch(() => undefined)
  }
}

/** What a folder holds now, for one look. Throws what prevents it. */
export async function readFolderOnce(path: string, signal: AbortSignal): Promise<FolderSnapshot> {
  return await readSnapshot(listAt(placeOf(path)), { known: new Map() }, signal)
}

async function readSnapshot(
  { root, listed }: FolderState,
  reading: FolderReading,
  signal: AbortSignal,
): Promise<FolderSnapshot> {
  const files = await folderFiles(root, listed, reading, signal)
  const name = basename(root)
  return {
    key: sha256(JSON.stringify(files.map(({ path, mode, sha256 }) => [path, mode, sha256]))),
    revision: FULL_ID.test(name) ? name : undefined,
    files,
  }
}

type Place = Pick<FolderState, "root" | "identity" | "isSwapped">

function placeOf(path: string): Place {
  const top = realpathSync(path)
  const data = join(top, DATA_LINK)
  const root = existsSync(data) ? realpathSync(data) : top
  const { dev, ino } = statSync(root)
  const isSwapped = root !== path || existsSync(join(root, IDENTITY_NAME))
  return { root, identity: `${dev} ${ino}`, isSwapped }
}

function listAt(place: Place): FolderState {
  const listed = listFolder(place.root)
  const lines = listed.map(({ path, status }) => `${path}\0${status.mode}\0${fileIdentity(status)}`)
  return { ...place, listed, signature: sha256([place.root, place.identity, ...lines].join("\n")) }
}

/** Why a folder cannot be read; undefined when it only changed meanwhile, so that the next look may succeed. */
function troubleOf(path: string, read: Place | undefined, error: unknown): string | undefined {
  if (!existsSync(path)) return "it is not there"
  if (hasCode(error, "projection/folder") || isMissing(error)) return undefined
  return isSamePlace(path, read) ? errorMessage(error) : undefined
}

/** A publisher that shows another folder may remove this one while it is read. */
function isSamePlace(path: string, read: Place | undefined): boolean {
  try {
    return placeOf(path).identity === read?.identity
  } catch {
    return false
  }
}

/** A file that went while its folder was listed. */
function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")
}
