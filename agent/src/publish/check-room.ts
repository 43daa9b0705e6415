import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { ProjectionState } from "../store/projection-state.ts"
import { type StagePlan, touchedFolders } from "./plan-stage.ts"

const BLOCK = 4096
const ENTRY_BYTES = 256
/** The staging folder, its content, manifest and temporary link, and a margin for others. */
const SPARE_INODES = 16

/**
 * Throws `disk/full` when a revision would not fit, before anything is written: on a file system without
 * inodes not even the temporary link of a flip could be made.
 */
export function checkRoom({ disk, store, clone, layout }: ProjectionState, plan: StagePlan): void {
  const room = disk.space(store.path)
  const folders = touchedFolders(plan, clone !== undefined)
  let bytes = blocksOf(plan.write)
  // The copy before goes only when the new one takes its place.
  if (layout.copies) bytes += blocksOf([...plan.keep, ...plan.move.map(({ from }) => from), ...plan.write])
  bytes += (plan.keep.length + plan.write.length) * ENTRY_BYTES + (folders.size + SPARE_INODES) * BLOCK
  const inodes = plan.write.length + folders.size + SPARE_INODES
  if (bytes <= room.bytes && inodes <= room.inodes) return
  throw new HeadraceError(
    "disk/full",
    `${store.folder.path} has room for ${room.bytes} bytes in ${room.inodes} files, but the revision needs ${bytes} in ${inodes}`,
    { hint: "Free bytes or inodes there (df, df -i), or lower keep. What is published stays." },
  )
}

/** Bytes that files take, in whole blocks. */
function blocksOf(files: readonly { size: number }[]): number {
  return files.reduce((sum, { size }) => sum + Math.ceil(size / BLOCK) * BLOCK, 0)
}
