import { setImmediate } from "node:timers/promises"
import { checkRealFolders } from "../disk/check-real-folders.ts"
import type { ManifestFile } from "../store/manifest.ts"
import type { ProjectionState } from "../store/projection-state.ts"
import { readSound, verifyFile } from "../store/read-sound.ts"
import type { Slot } from "../store/store.ts"

const BATCH = 128

/**
 * Compares a slot's files with its manifest: kind, size, mode, owner and content. Gives the paths that differ
 * or are missing. With `digests` every content is read; else only where inode or time differ.
 */
export async function verifySlot(
  projection: ProjectionState,
  slot: Slot,
  options: { digests: boolean },
): Promise<string[]> {
  const { disk, layout, permissions } = projection
  const content = layout.content(slot)
  const wrong: string[] = []
  const isReached = checkRealFolders(disk, content)
  const isRight = (file: ManifestFile, path: string) =>
    isReached(file.path) &&
    verifyFile(disk, path, file, permissions) !== undefined &&
    (!options.digests || readSound(disk, path, file.sha256) !== undefined)
  let done = 0
  for (const file of slot.manifest.files) {
    if (!isRight(file, `${content}/${file.path}`)) wrong.push(file.path)
    if (++done % BATCH === 0) await setImmediate()
  }
  return wrong
}
