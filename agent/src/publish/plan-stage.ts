import { foldersOf } from "@headrace/shared/foundation/folders-of"
import type { ManifestFile } from "../store/manifest.ts"
import { fileMode, type Permissions } from "../store/permissions.ts"
import type { RevisionFile } from "../store/revision.ts"

/** How a revision's directory comes about from the one before. Pure. */
export interface StagePlan {
  /** Stay as they are. */
  keep: ManifestFile[]
  /** Equal content and mode are at a path of the base that goes: a renamed file. */
  move: { from: ManifestFile; to: string }[]
  write: RevisionFile[]
  /** Paths of the base that have to go or to be replaced. */
  remove: string[]
  /** Some path of the base is not wanted any more, so folders may have become empty. */
  vacates: boolean
  /** False when every path is in the base, once: such paths were checked when they came. */
  hasNewPaths: boolean
}

/** Compares what is wanted with a base, by path, content and mode. */
export function planStage(
  wanted: readonly RevisionFile[],
  base: ReadonlyMap<string, ManifestFile>,
  permissions: Permissions,
): StagePlan {
  const { keep, kept, replaced, changed, hasNewPaths } = compare(wanted, base, permissions)
  const vacates = kept.size + replaced.size < base.size
  const remove = [...replaced]
  if (vacates) for (const path of base.keys()) if (!kept.has(path) && !replaced.has(path)) remove.push(path)
  const byContent = contentIndex(remove.flatMap((path) => base.get(path) ?? []))
  const plan: StagePlan = { keep, move: [], write: [], remove, vacates, hasNewPaths }
  for (const file of changed) {
    const equal = byContent.get(contentKey(file.sha256, fileMode(permissions, file.mode)))
    // At a path that is there already an inode from elsewhere could take the modification time back.
    if (equal?.size === file.size && !base.has(file.path)) plan.move.push({ from: equal, to: file.path })
    else plan.write.push(file)
  }
  return plan
}

interface Comparison {
  keep: ManifestFile[]
  kept: Set<string>
  /** Paths that the base has with something else. */
  replaced: Set<string>
  changed: RevisionFile[]
  hasNewPaths: boolean
}

function compare(
  wanted: readonly RevisionFile[],
  base: ReadonlyMap<string, ManifestFile>,
  permissions: Permissions,
): Comparison {
  const kept = new Set<string>()
  const replaced = new Set<string>()
  const keep: ManifestFile[] = []
  const changed: RevisionFile[] = []
  for (const file of wanted) {
    const before = base.get(file.path)
    if (before && isEqual(before, file, permissions) && !replaced.has(file.path)) {
      kept.add(file.path)
      keep.push(before)
      continue
    }
    if (before && !kept.has(file.path)) replaced.add(file.path)
    changed.push(file)
  }
  // A new path is in neither set, and one that is there twice counts once.
  return { keep, kept, replaced, changed, hasNewPaths: kept.size + replaced.size < wanted.length }
}

/** Bytes that staging writes. */
export function writtenBytes(plan: StagePlan): number {
  return plan.write.reduce((sum, file) => sum + file.size, 0)
}

/** Folders in which staging makes names: those of what is written, and without a clone of everything. */
export function touchedFolders(plan: StagePlan, hasClone: boolean): Set<string> {
  const folders = new Set<string>()
  for (const { path } of plan.write) for (const folder of foldersOf(path)) folders.add(folder)
  if (!hasClone) for (const { path } of plan.keep) for (const folder of foldersOf(path)) folders.add(folder)
  return folders
}

/** True when a plan changes nothing that a reader could see. */
export function isUnchanged(plan: StagePlan): boolean {
  return plan.write.length === 0 && plan.move.length === 0 && plan.remove.length === 0
}

function isEqual(before: ManifestFile, file: RevisionFile, permissions: Permissions): boolean {
  return (
    before.sha256 === file.sha256 &&
    before.size === file.size &&
    before.mode === fileMode(permissions, file.mode)
  )
}

function contentIndex(files: readonly ManifestFile[]): Map<string, ManifestFile> {
  return new Map(files.map((file) => [contentKey(file.sha256, file.mode), file]))
}

function contentKey(sha256: string, mode: number): string {
  return `${sha256} ${mode}`
}
