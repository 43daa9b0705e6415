import type { Token } from "@headrace/shared/record/record"
import { notifyOfLastFlip } from "../retain/retire-files.ts"
import { endTrial, returnToBaseline } from "../retain/return-to-baseline.ts"
import { changeAlone } from "../store/held-locks.ts"
import type { Manifest } from "../store/manifest.ts"
import { type Baseline, type Note, type Returned, readNote } from "../store/note.ts"
import { floorOf, type NamedToken, type SourceName } from "../store/origin.ts"
import type { ProjectionState } from "../store/projection-state.ts"
import type { Revision } from "../store/revision.ts"
import {
  type Carried,
  type Claimed,
  claimProjection,
  type OpenProjectionOptions,
} from "./claim-projection.ts"
import { type Condition, examine, isFolderInPlace, isInPlace, isMoved } from "./examine.ts"
import { lookAgain } from "./look-again.ts"
import { dropClone } from "./prestage.ts"
import { type PublishResult, publishRevision } from "./publish-revision.ts"
import { NOTIFY_AFTER, type Tending, tendProjection } from "./tend-projection.ts"

const LOOK_EVERY = 10_000

export interface OpenProjection {
  /** What is shown; undefined before the first publish. */
  current(): { id: string; token: Token; number: number; manifest: Manifest } | undefined
  /** True when disk shows something else than `current`, by another process: the next publish takes that in. */
  isMoved(): boolean
  /** The id of the revision that an operator lets pass the guard. */
  approved(): string | undefined
  /** Why an operator keeps it at what it shows; undefined: none does. */
  pinned(): string | undefined
  /**
   * Examines whether readers see what was published, whole; publishing again repairs what is not `right`. Throws
   * `publish/locked` when another process has become the writer, since the lock was removed.
   */
  examine(): Promise<Condition>
  /**
   * The largest token of a source that was published: `publish` refuses smaller ones of it. Without a source: that of
   * what was published last.
   */
  floor(source?: SourceName): Token
  /** True when another object of the same name has replaced the source's since: what it says is of the past (floorOf). */
  isStale(source: NamedToken): boolean
  /** Files that are not what was published (found when opening); the next publish repairs them. */
  damaged(): string[]
  /**
   * Publishes; durable when it returns. Throws `publish/…` (bad-path, behind, pinned, foreign-file, locked,
   * over-cap) and `disk/…`; what is published then stays as it is.
   */
  publish(revision: Revision, signal?: AbortSignal): Promise<PublishResult>
  /** What a candidate is tried against; null: no candidate is shown. */
  baseline(): Baseline | null
  /** The candidate that failed its check here, until the trial ends or an operator unpins. */
  returned(): Returned | null
  /** Shows the baseline again, durably, and notes why. False: it is not on disk, and is to be published with `returns`. */
  returnToBaseline(failed: Pick<Returned, "token" | "root" | "reason">): Promise<boolean>
  /** Forgets the baseline and what failed, durably. */
  endTrial(): Promise<void>
  /** Resolves when nothing is done in the background: retention is up to date and the clone is ready. */
  settled(): Promise<void>
  close(): Promise<void>
}

/**
 * Opens a projection to publish to: takes its writer's lock, clears what a crash has left, verifies what is
 * shown. Throws `publish/locked` when another writer has it, `disk/…`, `publish/foreign-file`,
 * `publish/newer-format`.
 */
export async function openProjection(options: OpenProjectionOptions): Promise<OpenProjection> {
  let open = await openAt(options)
  /** What is open is closed, and nothing else could be opened yet. */
  let isLeft = false

  let carried: Carried | undefined

  /** Opens the folder that the path leads to now, when that is another one than before. */
  async function follow(): Promise<void> {
    const { projection } = open
    if (!isLeft && isInPlace(projection)) return
    if (!isLeft) {
      carried = carriedOf(projection)
      projection.log.warn({ path: options.path }, "the projection's folder is another one now; opening that")
    }
    await leave()
    open = await openAt({ ...options, carried })
    isLeft = false
  }

  /** Changes the projection alone; `touches` says whether what a change came to leaves work for later. */
  async function alone<Result>(
    signal: AbortSignal | undefined,
    change: (projection: ProjectionState) => Promise<Result>,
    touches: (result: Result) => boolean,
  ): Promise<Result> {
    await follow()
    const { projection, lock, writer, tending } = open
    await tending.pause()
    let isTouched = false
    try {
      return await changeAlone(projection, { ...lock, signal }, async () => {
        await writer.renew()
        await notifyOfLastFlip(projection, true)
        await lookAgain(projection)
        // A change that fails leaves trash, and no clone.
        isTouched = true
        const result = await change(projection)
        isTouched = touches(result)
        if (isTouched) tidy(projection)
        return result
      })
    } finally {
      if (isTouched) tending.start()
      else tending.resume()
    }
  }

  function publish(revision: Revision, signal?: AbortSignal): Promise<PublishResult> {
    return alone(
      signal,
      (projection) => publishRevision(projection, revision, signal),
      ({ outcome }) => outcome === "published",
    )
  }

  function goBack(failed: Pick<Returned, "token" | "root" | "reason">): Promise<boolean> {
    return alone(
      undefined,
      async (projection) => {
        await dropClone(projection)
        return returnToBaseline(projection, failed)
      },
      () => true,
    )
  }

  async function leave(): Promise<void> {
    if (isLeft) return
    isLeft = true
    const { projection, tending, release } = open
    await tending.settled()
    await tending.pause()
    await dropClone(projection).catch((error: unknown) => {
      projection.log.warn({ err: error, path: options.path }, "a staged clone was left behind")
    })
    release()
  }

  /** What an operator may have changed since. */
  function noteNow(): Note | undefined {
    const { store, log } = open.projection
    return isLeft ? undefined : readNote(store, log)
  }

  let last: Promise<unknown> = Promise.resolve()
  function inTurn<T>(action: () => Promise<T>): Promise<T> {
    const next = last.then(action)
    last = next.catch(() => undefined)
    return next
  }

  let closed: Promise<void> | undefined
  return {
    current: () => currentOf(open.projection),
    isMoved: () => isLeft || !isInPlace(open.projection) || isMoved(open.projection),
    approved: () => noteNow()?.approved ?? undefined,
    pinned: () => noteNow()?.pinned?.reason,
    examine: () =>
      inTurn(async () => {
        if (isLeft || !isInPlace(open.projection)) return "elsewhere"
        await open.writer.renew()
        return examine(open.projection)
      }),
    isStale: (source) => floorOf(open.projection.note, source).isStale,
    floor: (source) => {
      const { note } = open.projection
      return source ? floorOf(note, source).token : note.token
    },
    damaged: () => [...open.projection.damaged],
    publish: (revision, signal) => inTurn(() => publish(revision, signal)),
    baseline: () => open.projection.note.baseline,
    // Only this process notes one; an operator can take it back.
    returned: () => open.projection.note.returned && (noteNow()?.returned ?? null),
    returnToBaseline: (failed) => inTurn(() => goBack(failed)),
    endTrial: () => inTurn(() => alone(undefined, endTrial, () => false)),
    settled: () => last.then(() => open.tending.settled()),
    close: () => {
      closed ??= last.then(leave)
      return closed
    },
  }
}

interface Opened extends Claimed {
  tending: Tending
}

async function openAt(options: OpenProjectionOptions): Promise<Opened> {
  const claimed = await claimProjection(options)
  const { prestage = true, lookEvery = LOOK_EVERY, notifyAfter = NOTIFY_AFTER } = options
  return {
    ...claimed,
    tending: tendProjection(claimed.projection, { ...claimed, prestage, lookEvery, notifyAfter }),
  }
}

function carriedOf(projection: ProjectionState): Carried {
  const { note, shown } = projection
  return {
    floors: note,
    published: shown?.manifest.files[0]?.sha256,
    // In another folder nothing is ours to replace.
    shown: isFolderInPlace(projection) ? shown : undefined,
  }
}

function tidy({ layout, shown, log, path }: ProjectionState): void {
  try {
    if (shown) layout.tidy(shown)
  } catch (error) {
    log.warn({ err: error, path }, "links of an older revision could not be removed")
  }
}

function currentOf({ shown }: ProjectionState): ReturnType<OpenProjection["current"]> {
  if (!shown) return undefined
  const { manifest, number } = shown
  return { id: manifest.revision, token: manifest.token, number, manifest }
}
