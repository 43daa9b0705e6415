import { approvalOf, type Lift } from "../../record/approval.ts"
import type { ApprovalWord } from "../../record/approval-word.ts"
import type { JudgedRevision, SourceRecord } from "../../record/record.ts"
import { rulesDigestAt } from "../decide/plan-at.ts"
import { changeRecord } from "../record/change-record.ts"
import { createReconcileMemory } from "../run/memory.ts"
import type { ApprovePorts } from "./hold-source.ts"

/**
 * Approves what going to this commit deletes, however much that is, under one set of rules: those that the guard stopped
 * it for, or those in force by these settings, at the tip of their branch where it is another. Throws `rules/…`,
 * `git/…`, `record/…`.
 */
export async function approveCommit(
  ports: ApprovePorts,
  commit: string,
  signal: AbortSignal,
  approval?: ApprovalWord,
): Promise<SourceRecord> {
  return approve(ports, { lift: "guard", approval }, signal, (record) => {
    return stoppedByGuard(record, commit) ?? revisionAtTip(ports, commit, signal)
  })
}

/**
 * Approves to show this commit, once, though it or its rules are not signed by an allowed key; rules as `approveCommit`
 * takes them from these settings. Throws `rules/…`, `git/…`, `record/…`.
 */
export async function approveUnverified(
  ports: ApprovePorts,
  commit: string,
  signal: AbortSignal,
  approval?: ApprovalWord,
): Promise<SourceRecord> {
  return approve(ports, { lift: "unverified", approval }, signal, () => revisionAtTip(ports, commit, signal))
}

/**
 * Lets this commit through the gates, once, under the rules that these settings give it now, at the tip of their branch where
 * it is another. It approves no deletion that the guard stopped it for, and lifts nothing of any other commit. Throws
 * `rules/…`, `git/…`, `record/…`.
 */
export async function approveGate(
  ports: ApprovePorts,
  commit: string,
  signal: AbortSignal,
  approval?: ApprovalWord,
): Promise<SourceRecord> {
  return approve(ports, { lift: "gate", approval }, signal, () => revisionAtTip(ports, commit, signal))
}

async function approve(
  ports: ApprovePorts,
  { lift, approval }: { lift: Lift; approval: ApprovalWord | undefined },
  signal: AbortSignal,
  revisionFor: (record: SourceRecord) => JudgedRevision | Promise<JudgedRevision>,
): Promise<SourceRecord> {
  return changeRecord(
    ports,
    async (record) => ({
      ...record,
      approved: approvalOf(record.approved, await revisionFor(record), lift),
    }),
    signal,
    { approval },
  )
}

/** The commit with the rules that the guard stopped it for; undefined: it did not. */
function stoppedByGuard({ stopped }: SourceRecord, commit: string): JudgedRevision | undefined {
  if (stopped?.commit !== commit || !stopped.judged || !stopped.code.startsWith("guard/")) return undefined
  const { rulesCommit, rules } = stopped.judged
  return { commit, rulesCommit, rules }
}

/** A commit with the rules that these settings give it now. Throws `rules/…`, `git/…`. */
async function revisionAtTip(
  ports: ApprovePorts,
  commit: string,
  signal: AbortSignal,
): Promise<JudgedRevision> {
  const { repository, rulesRepository } = ports
  const rulesCommit = rulesRepository === repository ? null : (await rulesRepository.fetch(signal)).commit
  const rules = await rulesDigestAt(ports, createReconcileMemory(), { commit, rulesCommit }, signal)
  return { commit, rulesCommit, rules }
}
