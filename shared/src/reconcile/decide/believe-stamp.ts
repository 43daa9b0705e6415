import type { SourceRepository } from "../../git/source-repository.ts"
import { largestToken } from "../../record/intents.ts"
import type { FailedTarget, SourceRecord } from "../../record/record.ts"
import { codeOfReason } from "../../record/retry-of-target.ts"
import { compareTokens } from "../../record/token.ts"
import type { ReconcilePorts } from "../run/ports.ts"
import type { DesiredRevision } from "../run/revision.ts"
import { largestBelieved } from "../target/known-token.ts"
import type { Stamp } from "../target/ownership.ts"

/** Ports of what is read here. */
export type BeliefPorts = Pick<ReconcilePorts, "repository" | "rulesRepository" | "clock" | "recordMadeAt">

/**
 * True when a writer of ours can have written this stamp, as far as anything but a record shows it: its epoch is at
 * most a day ahead of now, the mirrors have its commits, and its seq is their count. Throws `git/…`.
 */
export async function isCredible(
  { repository, rulesRepository, ...time }: BeliefPorts,
  { token, commit, rulesCommit }: Pick<Stamp, "token" | "commit" | "rulesCommit">,
  signal: AbortSignal,
): Promise<boolean> {
  if (token.epoch > largestBelieved(time)) return false
  return isCounted({ repository, rulesRepository }, { token, commit, rulesCommit }, signal)
}

/** True when the mirrors have a stamp's commits, and its seq is their count. */
async function isCounted(
  { repository, rulesRepository }: Pick<BeliefPorts, "repository" | "rulesRepository">,
  { token, commit, rulesCommit }: Pick<Stamp, "token" | "commit" | "rulesCommit">,
  signal: AbortSignal,
): Promise<boolean> {
  const [own, ofRules] = await Promise.all([
    countOf(repository, commit, signal),
    rulesCommit ? countOf(rulesRepository, rulesCommit, signal) : 0,
  ])
  return own !== undefined && ofRules !== undefined && own + ofRules === token.seq
}

/**
 * True when a stamp on a target is not of ours. No target is written without an intent, so the record knows a token as
 * large as any that its writers stamp. A larger one is a stranger's, unless an earlier record was put back: then
 * stamps may lead, and one that is credible is believed. Beneath what the record knows, a stamp of the epoch in which we
 * write is of a commit that the desired one contains, and counts it (one that was lowered would let in a writer that wakes up
 * late); the stamp at the desired token is of the desired commit.
 *
 * `fresh` reads the record; it is called after the target was read. Throws `git/…`, `kube/…`.
 */
export async function isStrangers(
  ports: BeliefPorts,
  stamp: Stamp,
  desired: DesiredRevision,
  fresh: () => Promise<SourceRecord | undefined>,
  signal: AbortSignal,
): Promise<boolean> {
  const order = compareTokens(stamp.token, desired.token)
  if (order === 0) {
    return stamp.commit !== desired.commit || (stamp.rulesCommit ?? null) !== desired.rulesCommit
  }
  if (order < 0) {
    if (stamp.token.epoch !== desired.token.epoch) return false
    return !((await isBefore(ports, stamp, desired, signal)) && (await isCounted(ports, stamp, signal)))
  }
  const record = await fresh()
  // A record that is gone knows nothing: what was written is judged when the next one begins.
  if (record === undefined || compareTokens(stamp.token, largestToken(record)) <= 0) return false
  return !(await isCredible(ports, stamp, signal))
}

/**
 * True when the record that this token was begun in is lost, and the one that is there now does not know it. What began since may
 * be in a smaller epoch, when the clock that the lost one began by was ahead, and no stamp refuses then. `begunIn`: uid of the
 * record that the run read first. `now`: the record as it was read after the target; an answer from the past is of the same
 * one. Pure.
 */
export function isOfLostRecord(
  { token }: Pick<DesiredRevision, "token">,
  begunIn: string | undefined,
  now: { record: SourceRecord; uid: string | undefined } | undefined,
): boolean {
  if (now === undefined || now.uid === begunIn) return false
  return compareTokens(token, largestToken(now.record)) > 0
}

/**
 * True when a stamp of a newer format may be a newer Headrace's. Such a one raises the record's format before it writes a
 * target, so with a record that we read it is a stranger's (docs/decisions/057). A record that is lost, or shows nothing
 * yet, knows of no format; what was believed then stays believed while the record lists the target for it.
 *
 * `fresh` reads the record; it is called after the target was read. Throws `record/newer-format`, `kube/…`.
 */
export async function mayBeNewer(
  place: string,
  failed: readonly FailedTarget[],
  fresh: () => Promise<SourceRecord | undefined>,
): Promise<boolean> {
  const record = await fresh()
  if (record === undefined || record.commit === null) return true
  return failed.some(({ target, reason }) => target === place && codeOfReason(reason) === NEWER_FORMAT)
}

const NEWER_FORMAT = "reconcile/newer-format"

/** True when a revision is of commits that the desired one contains: rules of another source come in, and stay. */
async function isBefore(
  { repository, rulesRepository }: BeliefPorts,
  { commit, rulesCommit }: Stamp,
  desired: DesiredRevision,
  signal: AbortSignal,
): Promise<boolean> {
  if (!(await repository.contains(desired.commit, commit, signal))) return false
  if (!rulesCommit) return true
  return desired.rulesCommit !== null && rulesRepository.contains(desired.rulesCommit, rulesCommit, signal)
}

function countOf(
  repository: SourceRepository,
  commit: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  return repository.seqOf(commit, signal)
}
