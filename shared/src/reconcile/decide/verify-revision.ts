import { errorText, hasCode } from "../../foundation/errors.ts"
import { isLifted } from "../../record/approval.ts"
import type { SourceRecord } from "../../record/record.ts"
import type { Verification } from "../../record/verification.ts"
import type { ReconcilePorts, RevisionVerifiers } from "../run/ports.ts"
import type { SourceRevision } from "../run/revision.ts"

/**
 * Judges the signatures of what is to come into force: of the source's commit, and of the rules' own where they come
 * from another source. What is in force already was judged when it came. An operator's `approve --unverified` of this
 * revision lifts it, once: the swap that brings it into force uses the approval up.
 *
 * Throws `verify/…` for what may not be shown, `git/…` where that is not known.
 */
export async function verifyRevision(
  { verifiers }: Pick<ReconcilePorts, "verifiers">,
  record: SourceRecord,
  { commit, rulesCommit }: SourceRevision,
  signal: AbortSignal,
): Promise<void> {
  if (verifiers === undefined || isLifted(record, "unverified", { commit, rulesCommit })) return
  if (commit !== record.commit) await verifiers.source?.judge(commit, record.commit, signal)
  if (rulesCommit === null || rulesCommit === record.rulesCommit) return
  await verifiers.rules?.judge(rulesCommit, record.rulesCommit, signal)
}

/** Digest of the keys that a revision is judged by now; where they cannot be read, the code of why. */
export async function keysInForce(
  { source, rules }: RevisionVerifiers,
  signal: AbortSignal,
): Promise<string> {
  try {
    return [await source?.keys(signal), await rules?.keys(signal)].map((digest) => digest ?? "-").join(" ")
  } catch (error) {
    if (hasCode(error, "verify/")) return error.code
    throw error
  }
}

/**
 * What the keys of now say of a revision that is in force, each of its commits by itself; undefined: the source is not
 * verified. `lifted`: an operator has approved to show it unverified.
 */
export async function verificationInForce(
  { verifiers }: Pick<ReconcilePorts, "verifiers">,
  { commit, rulesCommit }: SourceRevision,
  lifted: boolean,
  signal: AbortSignal,
): Promise<Verification | undefined> {
  if (verifiers === undefined) return undefined
  const keys = await keysInForce(verifiers, signal)
  const judged = { commit, rulesCommit, keys }
  try {
    const signers = [
      await verifiers.source?.signer(commit, signal),
      rulesCommit === null ? undefined : await verifiers.rules?.signer(rulesCommit, signal),
    ]
    const detail = [...new Set(signers.filter((signer) => signer !== undefined))].join(", ")
    return { ...judged, state: "verified", detail }
  } catch (error) {
    if (!hasCode(error, "verify/") && !hasCode(error, "git/missing-object")) throw error
    return { ...judged, state: lifted ? "lifted" : "unverified", detail: errorText(error) }
  }
}
