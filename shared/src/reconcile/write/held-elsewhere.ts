import { DIGEST_ANNOTATION } from "../../bundle/store-config-map.ts"
import type { ObjectMeta } from "../../foundation/config-map.ts"
import { hasCode } from "../../foundation/errors.ts"
import { compareAndSwap } from "../../kube/compare-and-swap.ts"
import type { TargetEntry } from "../../record/build-index.ts"
import type { SourceRecord } from "../../record/record.ts"
import { listReachable } from "../../record/walk-index.ts"
import { placeText } from "../run/cluster-plan.ts"
import type { Run } from "../run/run.ts"
import { type KnownFailures, knownFailures } from "../store/known-failures.ts"
import { listRoots } from "../store/last-roots.ts"
import { indexReader, STORE_SELECTOR, UNUSED_SINCE } from "../store/read-store.ts"
import { targetsBelow } from "../store/stored-targets.ts"
import { unmarked } from "./store-objects.ts"

/**
 * What refused targets hold in the store, where the root in force does not say it because it or the record was lost: as
 * the record's list of failures has it, then by its earlier roots, then by the latest roots that the store still has. Only what
 * is there whole is given; marks of garbage collection are taken off it. Throws `kube/…`.
 */
export async function findHeldElsewhere(
  run: Run,
  record: SourceRecord,
  failures: KnownFailures,
  places: readonly string[],
): Promise<ReadonlyMap<string, TargetEntry>> {
  const found = new Map<string, TargetEntry>()
  const store = await listStoreObjects(run)
  await take(failures.held)
  for (const { root } of record.history) await takeRoot(root)
  if (found.size === places.length) return found
  for (const root of await listRoots(run, record)) await takeRoot(root)
  return found

  async function takeRoot(root: string): Promise<void> {
    if (found.size === places.length) return
    const targets = await targetsBelow(run, root)
    if (targets) return take(new Map(targets.map((entry) => [placeText(entry), entry])))
    const listed = { failed: [], failedMore: 0, failures: root }
    const { held } = await knownFailures(run.ports, run.memory, listed, run.signal)
    await take(held)
  }

  async function take(entries: ReadonlyMap<string, TargetEntry>): Promise<void> {
    for (const place of places) {
      const entry = found.has(place) ? undefined : entries.get(place)
      if (entry && (await isKept(run, entry, store))) found.set(place, entry)
    }
  }
}

/** True when everything that an entry names is there, and stays. */
async function isKept(
  run: Run,
  { index }: TargetEntry,
  store: ReadonlyMap<string, ObjectMeta>,
): Promise<boolean> {
  const { ports, memory, signal } = run
  try {
    const reachable = await listReachable(index, indexReader(ports, memory, signal))
    const objects = [...reachable].map((digest) => store.get(digest))
    if (objects.includes(undefined)) return false
    for (const object of objects) if (object?.annotations?.[UNUSED_SINCE]) await unmark(run, object)
    return true
  } catch (error) {
    if (hasCode(error, "store/") || hasCode(error, "bundle/")) return false
    throw error
  }
}

/** By digest. */
async function listStoreObjects({ ports, signal }: Run): Promise<Map<string, ObjectMeta>> {
  const { kube, settings } = ports
  const items = await kube.listMetadata(settings.namespace, { labelSelector: STORE_SELECTOR }, signal)
  return new Map(items.map((item) => [item.annotations?.[DIGEST_ANNOTATION] ?? "", item]))
}

async function unmark({ ports, signal }: Run, { namespace, name }: ObjectMeta): Promise<void> {
  await compareAndSwap(ports.clock, signal, async () => {
    const existing = await ports.kube.get(namespace, name, signal)
    if (existing?.metadata.annotations?.[UNUSED_SINCE]) await ports.kube.replace(unmarked(existing), signal)
    return true
  })
}
