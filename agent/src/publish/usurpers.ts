import { basename } from "node:path"
import type { Log } from "@headrace/shared/observe/log"
import type { Disk } from "../disk/disk.ts"
import { type LayoutOptions, storePlace } from "../layout/open-layout.ts"
import type { ProjectionState } from "../store/projection-state.ts"
import type { Slot } from "../store/store.ts"
import { trashPlace } from "../store/trash.ts"

/**
 * Removes what somebody has put in the place of what this process has shown there: a folder, a link or a file. At a first
 * start the same is foreign, and stops the projection (docs/decisions/069-what-takes-our-place-is-removed.md). The caller
 * holds the lock.
 */
export async function removeUsurpers(projection: ProjectionState, shown: Slot): Promise<void> {
  const { store, layout, log, path } = projection
  for (const place of layout.usurped(shown)) {
    log.warn({ path, name: basename(place) }, "removing what was put in the place of what is shown")
    await trashPlace(store, place)
  }
}

/** The same for a file or link in the place of the store; a folder there is examined as any store. */
export function freeStorePlace(
  disk: Disk,
  { path, layout, log }: Pick<LayoutOptions, "path" | "layout"> & { log: Log },
): void {
  const place = storePlace(path, layout)
  if (["directory", undefined].includes(disk.look(place)?.kind)) return
  log.warn({ path, place }, "removing what was put in the place of the store")
  disk.unlink(place)
}
