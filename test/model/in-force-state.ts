import type { HeldTargets, PastLoss } from "./model-guard.ts"

/** What the model knows of one source in one cluster, whatever becomes of its record. */
export interface InForce {
  /** What each target holds by the last commit: `namespace/name` to key to content. */
  held: HeldTargets
  /** What changes deleted that certainly counts, and all that may count. */
  counted: readonly PastLoss[]
  possible: readonly PastLoss[]
  /** True while an operator holds the source: no time passes for what counts. */
  isHeld: boolean
  /** True when what the guard found of an earlier change is not known here: a record was lost, or settings changed. */
  unsure: boolean
  /** Digest of the settings of the last commit; null: they gave no version. */
  settings: string | null
}
