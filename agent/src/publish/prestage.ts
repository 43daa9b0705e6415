import { chooseDurability, makeDurable } from "../store/make-durable.ts"
import type { ProjectionState } from "../store/projection-state.ts"
import { beginToWait, discardStaging, isUntouched, openStaging, type Staging } from "../store/staging.ts"
import { linkUnchanged } from "./link-unchanged.ts"

/**
 * Makes a clone of what is shown out of hard links, durable already, so that the next publish costs what has
 * changed and not what exists. Without it the next publish links by itself: failing here is no failure.
 */
export async function prestage(projection: ProjectionState): Promise<void> {
  const { shown, store, permissions, layout, durability, log, path } = projection
  if (!shown || projection.clone || projection.damaged.size > 0) return
  const clone = await openStaging(store, permissions)
  try {
    const left = await linkUnchanged(clone, layout.content(shown), shown.files.values(), { permissions })
    await makeDurable(clone, chooseDurability(durability, clone.unsynced.size))
    beginToWait(clone)
    projection.clone = clone
    if (left.length > 0) {
      log.warn(
        { path, files: left.slice(0, 10), count: left.length },
        "published files changed under our hands",
      )
    }
  } catch (error) {
    await discardStaging(clone)
    throw error
  }
}

/** The clone, for a revision that is to be made of it; undefined when there is none, and when another program changed it. */
export async function takeClone(projection: ProjectionState): Promise<Staging | undefined> {
  const { clone, log, path } = projection
  if (clone === undefined) return undefined
  if (!isUntouched(clone)) {
    log.warn({ path, staging: clone.name }, "another program changed what was staged; it is given up")
    await dropClone(projection)
    return undefined
  }
  projection.clone = undefined
  return clone
}

/** Removes a clone that is not wanted any more. */
export async function dropClone(projection: ProjectionState): Promise<void> {
  const { clone } = projection
  projection.clone = undefined
  if (clone) await discardStaging(clone)
}
