import { existsSync, readFileSync, readlinkSync, watch } from "node:fs"
import { basename, dirname, join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { IDENTITY_NAME } from "../store/layout.ts"

const LOOK_EVERY = 10_000

export interface WatchRevisionOptions {
  /** Name of the projection's link; `..data` unless given. */
  link?: string
  /** How often to look without an event, in milliseconds: events get lost (full queues, network file systems). */
  every?: number
  signal: AbortSignal
}

/**
 * Gives the id of the revision that is shown, first at once and then whenever it is another one; ids in
 * between may be left out. It watches the folder that holds the link, or in layout `exchange` the one that holds the
 * directory: a watch on either itself, or on a file beneath, stays with the old revision and never reports (inotify(7)
 * resolves links). Ends with the signal.
 */
export async function* watchRevision(path: string, options: WatchRevisionOptions): AsyncGenerator<string> {
  const { signal, every = LOOK_EVERY } = options
  let wake = new AbortController()
  const watched = existsSync(join(path, IDENTITY_NAME)) ? dirname(path) : path
  const watcher = watch(watched, { signal }, () => wake.abort())
  // Without events the looks remain.
  watcher.on("error", () => watcher.close())
  let last: string | undefined
  try {
    while (!signal.aborted) {
      wake = new AbortController()
      const id = shownId(path, options.link ?? "..data")
      if (id !== undefined && id !== last) {
        last = id
        yield id
      } else {
        await delay(every, undefined, { signal: AbortSignal.any([signal, wake.signal]) }).catch(
          () => undefined,
        )
      }
    }
  } finally {
    watcher.close()
  }
}

function shownId(path: string, link: string): string | undefined {
  try {
    return basename(readlinkSync(join(path, link)))
  } catch {
    return identityOf(path)
  }
}

function identityOf(path: string): string | undefined {
  try {
    const identity: { revision: string } = JSON.parse(readFileSync(join(path, IDENTITY_NAME), "utf8"))
    return identity.revision
  } catch {
    return undefined
  }
}
