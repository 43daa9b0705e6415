import { setImmediate } from "node:timers/promises"
import { checkRealFolders } from "../disk/check-real-folders.ts"
import type { ManifestFile } from "../store/manifest.ts"
import type { ProjectionState } from "../store/projection-state.ts"
import { readSound, verifyFile } from "../store/read-sound.ts"
import type { Slot } from "../store/store.ts"

const BATCH = 128

/**
 * Compares a slot's files with its manifest: kind, size, mode, owner and content. Gives the paths that differ
 * or are missing; `onKnown` gets those whose inode or time differ and whose content does not. With `digests` every content is read; otherwise only where inode or time differ.
 */
export async function verifySlot(
  projection: ProjectionState,
  slot: Slot,
  options: { digests: boolean; onKnown?: (file: ManifestFile) => void; files?: Iterable<ManifestFile> },
): Promise<string[]> {
  const { disk, layout, permissions } = projection
  const content = layout.content(slot)
  const wrong: string[] = []
  const isReached = checkRealFolders(disk, content)
  const isRight = (file: ManifestFile, path: string) => {
    const known = isReached(file.path) ? verifyFile(disk, path, file, permissions) : undefined
    if (known === undefined) return false
    if (known !== file) options.onKnown?.(known)
    return !options.digests || readSound(disk, path, file.sha256) !== undefined
  }
  let done = 0
  for (const file of options.files ?? slot.manifest.files) {
    if (!isRight(file, `${content}/${file.path}`)) wrong.push(file.path)
    if (++done % BATCH === 0) await setImmediate()
  }
  return wrong
}
