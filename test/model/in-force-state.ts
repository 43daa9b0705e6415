import type { SourceRecord } from "@headrace/shared/record/record"
import type { HeldTargets, PastLoss } from "./model-guard.ts"

/** A revision, and by whose settings. */
export type Revision = Pick<SourceRecord, "rulesCommit" | "settings"> & { commit: string }

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
  /** What was begun since the last commit: where the record is lost, nothing says whether it came into force. */
  begun: readonly Revision[]
  /** Digest of the settings of the last commit; null: they gave no version. */
  settings: string | null
}
