import { HeadraceError } from "../foundation/errors.ts"
import type { SourceRecord } from "../record/record.ts"
import type { Candidate } from "../record/rollout-state.ts"
import { returnedRecord } from "./changed-records.ts"

/** Who said something, why and when (ISO time). */
export type Word = NonNullable<Candidate["word"]>

/** What the names of skipped clusters may measure together, in bytes: a record stays under 4 KiB. */
const MOST_SKIPPED = 200

/** Has every stage of the rollout under way pass without its bake time and its checks. Throws `rollout/none`. */
export function promoteNow(record: SourceRecord, word: Word): SourceRecord {
  return { ...record, candidate: { ...candidateOf(record), hurried: true, word } }
}

/** Has the rollout under way go on without a cluster. Throws `rollout/none`, `rollout/too-many-skipped`. */
export function skipCluster(record: SourceRecord, cluster: string, word: Word): SourceRecord {
  const candidate = candidateOf(record)
  const skipped = [...new Set([...candidate.skipped, cluster])].sort()
  if (Buffer.byteLength(skipped.join("")) > MOST_SKIPPED) {
    throw new HeadraceError(
      "rollout/too-many-skipped",
      `the record of ${record.source} has no room for more skipped clusters`,
      {
        hint: "Remove the clusters that are gone for good from the settings.",
      },
    )
  }
  return { ...record, candidate: { ...candidate, skipped, word } }
}

/** Lifts the rejection of a commit; the record is the same where it has none of it. It must be lifted in every record. */
export function liftRejection(record: SourceRecord, commit: string): SourceRecord {
  return record.rejected?.commit === commit ? { ...record, rejected: null } : record
}

/** Ends a rollout under way by a return, as hold and rewind do; the same record where there is none. */
export function endRollout(record: SourceRecord): SourceRecord {
  return record.candidate === null ? record : returnedRecord(record, "baseline", null)
}

function candidateOf({ candidate, source }: SourceRecord): Candidate {
  if (candidate !== null) return candidate
  throw new HeadraceError("rollout/none", `no rollout of ${source} is under way in this cluster`, {
    hint: "Run status to see where one is.",
  })
}
