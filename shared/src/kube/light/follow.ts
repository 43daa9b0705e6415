import { type Backoff, type GrowingWait, growingWait } from "../../foundation/backoff.ts"
import { type Clock, systemClock } from "../../foundation/clock.ts"
import type { ConfigMapReader, Selection } from "../config-map-api.ts"
import { KubeError, RETRY_AFTER_LIMIT } from "../kube-error.ts"
import { type Followed, FollowedObjects } from "./followed-objects.ts"

export interface FollowOptions {
  /** `""`: all of them. */
  namespace: string
  selection: Selection
  /** Waits between failed tries. */
  backoff?: Backoff
  /** Milliseconds after which it lists again though all seems well, in case an event was lost. */
  resync?: number
  /** Milliseconds after which watches that were opened again from the version before are checked by a list. */
  verify?: number
  /** Bytes of the values of all objects together; absent: as many as there are. */
  most?: number
  clock?: Clock
  /** Gives a number in [0, 1). */
  random?: () => number
  /** The API has answered: a list, a watch that was opened, an event, a bookmark. */
  onContact?: () => void
  /** It could not be read; it is tried again after `wait` milliseconds. */
  onTrouble?: (error: unknown, wait: number) => void
}

const BACKOFF: Backoff = { first: 200, limit: 30_000 }
const RESYNC_MS = 10 * 60_000
/**
 * After a restore of etcd from a backup the version that we know lies in the server's future: kube-apiserver then sends
 * nothing at all, bookmarks included, until its versions have grown past ours. Only a list shows that.
 */
const VERIFY_MS = 20_000
/** The reason to end a watch and to list. */
const VERIFY = Symbol("verify")
/** A watch that lasted this long was a good one: the next failure is the first. */
const GOOD_WATCH_MS = 5000

/**
 * Follows ConfigMaps: list, watch, and list again when the version has become too old, and soon after a watch was opened
 * again, since the server may have lost what it had. Gives the whole state
 * at first and after each change; changes that come while the caller is busy are given as one. It goes on
 * until the signal aborts, and then ends without an error.
 *
 * An object leaves the state when the API says that it was deleted, or lists without it; never because the
 * API could not be read. Failures of any kind are reported and tried again, for ever.
 */
export async function* followConfigMaps(
  reader: ConfigMapReader,
  options: FollowOptions,
  signal: AbortSignal,
): AsyncGenerator<Followed> {
  const stop = new AbortController()
  const end = (): void => stop.abort(signal.reason)
  if (signal.aborted) return
  signal.addEventListener("abort", end)
  const objects = new FollowedObjects(options.most)
  const pumping = pump(reader, options, objects, stop.signal)
  try {
    while (await objects.changed(stop.signal)) yield objects.take()
  } finally {
    stop.abort()
    signal.removeEventListener("abort", end)
    await pumping
  }
}

async function pump(
  reader: ConfigMapReader,
  options: FollowOptions,
  objects: FollowedObjects,
  signal: AbortSignal,
): Promise<void> {
  const clock = options.clock ?? systemClock
  const waits = growingWait(options.backoff ?? BACKOFF, options.random)
  let listed = Number.NEGATIVE_INFINITY
  /** When the first watch since the last list was opened again; a server or a proxy may end each after seconds. */
  let unverifiedSince: number | undefined
  while (!signal.aborted) {
    const begun = clock.now()
    let failure: unknown
    try {
      if (objects.version === undefined || Math.abs(begun - listed) > (options.resync ?? RESYNC_MS)) {
        await list(reader, options, objects, signal)
        listed = clock.now()
        unverifiedSince = undefined
        await applyEvents(reader, options, objects, signal)
      } else {
        unverifiedSince ??= performance.now()
        const verify = unverifiedSince + (options.verify ?? VERIFY_MS) - performance.now()
        await watchUntil(verify, reader, options, objects, signal)
      }
    } catch (error) {
      failure = error
    }
    if (signal.aborted) return
    if (failure === VERIFY) {
      listed = Number.NEGATIVE_INFINITY
      continue
    }
    if (clock.now() - begun >= GOOD_WATCH_MS) waits.reset()
    await pause(failure, waits, options, objects, signal)
  }
}

async function list(
  reader: ConfigMapReader,
  options: FollowOptions,
  objects: FollowedObjects,
  signal: AbortSignal,
): Promise<void> {
  const { items, resourceVersion } = await reader.list(options.namespace, options.selection, signal)
  objects.replaceAll(items, resourceVersion)
  options.onContact?.()
}

/** Throws VERIFY after so many milliseconds. */
async function watchUntil(
  milliseconds: number,
  reader: ConfigMapReader,
  options: FollowOptions,
  objects: FollowedObjects,
  signal: AbortSignal,
): Promise<void> {
  if (milliseconds <= 0) throw VERIFY
  const verify = new AbortController()
  const timer = setTimeout(() => verify.abort(VERIFY), milliseconds)
  try {
    await applyEvents(reader, options, objects, AbortSignal.any([signal, verify.signal]))
    verify.signal.throwIfAborted()
  } catch (error) {
    throw verify.signal.aborted ? VERIFY : error
  } finally {
    clearTimeout(timer)
  }
}

async function applyEvents(
  reader: ConfigMapReader,
  options: FollowOptions,
  objects: FollowedObjects,
  signal: AbortSignal,
): Promise<void> {
  const selection = { ...options.selection, resourceVersion: objects.version ?? "" }
  const onContact = (): void => options.onContact?.()
  for await (const event of reader.watch(options.namespace, selection, signal, onContact)) {
    onContact()
    objects.apply(event)
  }
}

/** Waits before the next try: not at all after a good watch, as long as the server asks, otherwise a growing while. */
async function pause(
  failure: unknown,
  waits: GrowingWait,
  options: FollowOptions,
  objects: FollowedObjects,
  signal: AbortSignal,
): Promise<void> {
  const kube = failure instanceof KubeError ? failure : undefined
  if (kube?.code === "kube/gone") objects.version = undefined
  const free =
    waits.failures() === 0 &&
    (failure === undefined || kube?.code === "kube/gone" || kube?.code === "kube/timeout")
  const growing = waits.next(Math.min(kube?.retryAfter ?? 0, RETRY_AFTER_LIMIT))
  const wait = free ? 0 : growing
  if (failure !== undefined) options.onTrouble?.(failure, wait)
  await (options.clock ?? systemClock).sleep(wait, signal).catch(() => undefined)
}
