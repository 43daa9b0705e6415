import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  statSync,
} from "node:fs"
import { basename, dirname, join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import { nativeCalls } from "../disk/native-calls.ts"
import { IDENTITY_NAME } from "../store/layout.ts"
import { MANIFEST_NAME } from "../store/manifest-name.ts"

const RETRY = 5
const GIVE_UP_AFTER = 10_000
/** The pruner holds its exclusive lock for less; what holds one for longer is no part of Headrace. */
const STRANGER_AFTER = 250

/** One revision, held: nothing beneath `path` changes or goes away until the lease ends. */
export interface LeasedRevision {
  /** Its own directory, not the link: read beneath this. */
  path: string
  /** Last part of the link's target: the commit id. */
  id: string
  /** What carries the lease: a child process that inherits it holds on to the revision by itself. */
  fd: number
}

export interface WithRevisionOptions {
  /** Name of the projection's link; `..data` unless given. Layout `exchange`, which has none, is known by itself. */
  link?: string
  signal?: AbortSignal | undefined
}

/**
 * Runs `action` on the revision that a projection shows now, which is not removed before it returns. The lease
 * is a shared flock(2) on the revision's directory: it works through a read-only mount, needs no write
 * access, and ends with the process. Throws `read/no-revision` when nothing is shown.
 */
export async function withRevision<T>(
  path: string,
  action: (revision: LeasedRevision) => Promise<T>,
  options: WithRevisionOptions = {},
): Promise<T> {
  const began = performance.now()
  const until = began + GIVE_UP_AFTER
  while (performance.now() < until) {
    options.signal?.throwIfAborted()
    const isStranger = performance.now() - began > STRANGER_AFTER
    const leased = await lease(path, options.link ?? "..data", isStranger)
    if (leased) {
      try {
        return await action(leased)
      } finally {
        leased.release()
      }
    }
    await delay(RETRY, undefined, options.signal ? { signal: options.signal } : {})
  }
  throw new HeadraceError("read/no-revision", `${path} shows no revision`, {
    hint: "Give the path of a projection, and wait for its first publish.",
  })
}

/** Undefined when the revision went away between the look and the lock: look again. */
async function lease(path: string, link: string, isStranger: boolean): Promise<HeldRevision | undefined> {
  const directory = resolved(path, link)
  const fd = directory === undefined ? undefined : opened(directory)
  if (directory === undefined || fd === undefined) return undefined
  try {
    const isHeld = await nativeCalls().flock(fd, "shared")
    if ((isHeld || isStranger) && isStillThere(directory, fd)) {
      const release = isHeld ? () => closeSync(fd) : await holdBeside(directory, fd, directory === path)
      const revision =
        directory === path ? heldDirectory(fd) : { path: directory, id: basename(directory), fd }
      return { ...revision, release }
    }
  } catch (error) {
    closeSync(fd)
    throw error
  }
  closeSync(fd)
  return undefined
}

interface HeldRevision extends LeasedRevision {
  release(): void
}

const TRY_AGAIN = 50

/**
 * Holds a revision whose directory a stranger has locked for itself: by its manifest, which the pruner looks at too. As
 * long as the stranger holds both, that keeps the revision; then one of them is ours.
 */
async function holdBeside(directory: string, fd: number, isExchange: boolean): Promise<() => void> {
  const manifest = openSync(
    isExchange ? join(directory, IDENTITY_NAME) : join(directory, "..", MANIFEST_NAME),
    "r",
  )
  const take = async () =>
    (await nativeCalls().flock(manifest, "shared")) || nativeCalls().flock(fd, "shared")
  let isOver = false
  async function takeLater(): Promise<void> {
    while (!isOver && !(await take())) await delay(TRY_AGAIN, undefined, { ref: false })
  }
  const taking = takeLater().catch(() => undefined)
  return () => {
    isOver = true
    void taking.then(() => {
      closeSync(manifest)
      closeSync(fd)
    })
  }
}

// Layout exchange: another directory may be at the path at any time, so reads go through the open one.
function heldDirectory(fd: number): LeasedRevision {
  const path = `/proc/self/fd/${fd}`
  const identity: { revision: string } = JSON.parse(readFileSync(join(path, IDENTITY_NAME), "utf8"))
  return { path, id: identity.revision, fd }
}

function resolved(path: string, link: string): string | undefined {
  try {
    return join(path, dirname(link), readlinkSync(join(path, link)))
  } catch {
    return existsSync(join(path, IDENTITY_NAME)) ? path : undefined
  }
}

function opened(directory: string): number | undefined {
  try {
    return openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY)
  } catch {
    return undefined
  }
}

// The pruner renames while it holds the lock: who got it afterwards holds a directory that has left its place.
function isStillThere(directory: string, fd: number): boolean {
  const [held, there] = [fstatSync(fd), statSync(directory, { throwIfNoEntry: false })]
  return there !== undefined && held.dev === there.dev && held.ino === there.ino
}
