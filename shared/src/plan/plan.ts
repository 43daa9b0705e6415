import type { Problem } from "../foundation/problem.ts"
import type { TargetId } from "../foundation/target.ts"
import type { TreeFile } from "../foundation/tree.ts"

/** One key of a planned ConfigMap and the file it is written from. */
export interface PlannedKey {
  key: string
  file: TreeFile
  gzip: boolean
}

/** What one target holds, whole. A target whose last file went away stays planned, with no keys. */
export interface PlannedTarget {
  target: TargetId
  /** False: in the store alone. */
  view: boolean
  /** True: its namespace is closed by default, so that it must exist already to be written (open-namespaces.ts). */
  closed?: true
  /** In key order, each key once. */
  keys: readonly PlannedKey[]
}

/** What every target of a source holds at a commit. */
export interface Plan {
  /** In target order. A target with an error among `problems` is absent here and listed there. */
  targets: readonly PlannedTarget[]
  problems: readonly Problem[]
}
