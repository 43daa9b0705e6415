import { approvalOf } from "../../record/approval.ts"
import type { SourceRecord } from "../../record/record.ts"
import { changeRecord } from "../record/change-record.ts"
import { type ApprovePorts, revisionAtTip } from "./hold-source.ts"

/**
 * Lets this commit through the gates, once, under the rules that these settings give it now, at the tip of their branch where
 * it is another. It approves no deletion that the guard stopped it for, and lifts nothing of any other commit. Throws
 * `rules/…`, `git/…`, `record/…`.
 */
export async function approveGate(
  ports: ApprovePorts,
  commit: string,
  signal: AbortSignal,
): Promise<SourceRecord> {
  const revision = await revisionAtTip(ports, commit, signal)
  return changeRecord(
    ports,
    (record) => ({ ...record, approved: approvalOf(record.approved, revision, "gate") }),
    signal,
  )
}
