import { CONFIG_MAP_LIMIT_BYTES } from "../../foundation/config-map.ts"
import { HeadraceError } from "../../foundation/errors.ts"
import { gzipped } from "../../foundation/gzip.ts"
import type { PlannedKey, PlannedTarget } from "../../plan/plan.ts"
import { placeText } from "../run/cluster-plan.ts"
import type { ReconcilePorts } from "../run/ports.ts"

/** What is read from git at once: little enough that six targets at a time stay small, enough to read few times. */
const BATCH_BYTES = 4 * 1024 * 1024

/**
 * The values of these keys as the ConfigMap keeps them, gzip applied, in their order. Reads a part at a time, and no
 * further than a ConfigMap can hold, so that rules which name far too much cost no memory.
 *
 * Throws `reconcile/too-large`, `git/…`.
 */
export async function staleValues(
  ports: Pick<ReconcilePorts, "repository" | "contents">,
  { target }: Pick<PlannedTarget, "target">,
  stale: readonly PlannedKey[],
  signal: AbortSignal,
): Promise<Buffer[]> {
  const values: Buffer[] = []
  let size = 0
  for (const batch of batches(stale)) {
    const bytes = batch.reduce((sum, { file }) => sum + file.size, 0)
    const read = () => valuesOf(ports, batch, signal)
    const some = await (ports.contents ? ports.contents.within(bytes, signal, read) : read())
    for (const value of some) {
      values.push(value)
      size += value.length
    }
    if (size > CONFIG_MAP_LIMIT_BYTES) throw tooLarge(placeText(target))
  }
  return values
}

async function valuesOf(
  { repository }: Pick<ReconcilePorts, "repository">,
  batch: readonly PlannedKey[],
  signal: AbortSignal,
): Promise<Buffer[]> {
  const contents = await repository.blobs(
    batch.map(({ file }) => file.oid),
    signal,
  )
  const values = batch.map(({ gzip }, index) => {
    const content = contents[index] ?? Buffer.alloc(0)
    return gzip ? gzipped(content) : content
  })
  return Promise.all(values)
}

/** `place` is `namespace/name`. */
export function tooLarge(place: string): HeadraceError {
  return new HeadraceError(
    "reconcile/too-large",
    `ConfigMap ${place} would hold more than ${CONFIG_MAP_LIMIT_BYTES} bytes`,
    { hint: "Turn on gzip, partition it, or give the rule view: false." },
  )
}

function* batches(keys: readonly PlannedKey[]): Iterable<PlannedKey[]> {
  let batch: PlannedKey[] = []
  let bytes = 0
  for (const key of keys) {
    if (batch.length > 0 && bytes + key.file.size > BATCH_BYTES) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(key)
    bytes += key.file.size
  }
  if (batch.length > 0) yield batch
}
