import { readlinkSync, watch } from "node:fs"
import { basename, join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"

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
 * between may be left out. It watches the folder that holds the link: a watch on the link itself, or on a file
 * beneath it, follows to the old revision and never tells (inotify(7) resolves links). Ends with the signal.
 */
export async function* watchRevision(path: string, options: WatchRevisionOptions): AsyncGenerator<string> {
  const { signal, every = LOOK_EVERY } = options
  let wake = new AbortController()
  const watcher = watch(path, { signal }, () => wake.abort())
  // Without events the looks remain.
  watcher.on("error", () => watcher.close())
  let last: string | undefined
  try {
    while (!signal.aborted) {
      wake = new AbortController()
      const id = shownId(join(path, options.link ?? "..data"))
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

function shownId(link: string): string | undefined {
  try {
    return basename(readlinkSync(link))
  } catch {
    return undefined
  }
}
