import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { ProjectionState } from "../store/projection-state.ts"
import { slotNumbers, storeBytes } from "../store/store.ts"
import { emptyTrash } from "../store/trash.ts"
import { prune } from "./prune.ts"

/**
 * Keeps the store under its size cap for `wanted` more bytes: what may go goes now, and leased revisions too when the projection says
 * so. Throws `publish/over-cap`, the alarm, when the new revision would still pass the cap: readers keep what
 * they read, and the disk is not filled. What is published stays.
 */
export async function makeRoom(projection: ProjectionState, wanted: number): Promise<void> {
  const { keep, store, log, path, breakLeases } = projection
  if (projection.usedBytes + wanted <= keep.bytes) return
  const { leased, removed } = await prune(projection, breakLeases)
  await emptyTrash(projection)
  projection.usedBytes = storeBytes(store)
  if (breakLeases && removed.length > 0)
    log.warn({ path, removed }, "at the size cap: revisions went, leased or not")
  if (projection.usedBytes + wanted <= keep.bytes) return
  throw new HeadraceError(
    "publish/over-cap",
    `${path} holds ${projection.usedBytes} bytes; ${wanted} more would pass its cap of ${keep.bytes}`,
    {
      hint: "Raise keep.bytes, lower keep.revisions or keep.age, end the readers that hold leases, or allow breakLeases.",
      fields: { leased, revisions: slotNumbers(store), used: projection.usedBytes, wanted, cap: keep.bytes },
    },
  )
}
