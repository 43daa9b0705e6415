import { HeadraceError } from "../../foundation/errors.ts"
import type { SourceRepository, Tip } from "../../git/source-repository.ts"
import { goal, holdInForce } from "../../record/goal.ts"
import { epochInForce } from "../../record/intents.ts"
import type { Intent, SourceRecord } from "../../record/record.ts"
import { compareTokens } from "../../record/token.ts"
import type { ReconcilePorts } from "../run/ports.ts"
import type { DesiredRevision, OrderedRevision, SourceRevision } from "../run/revision.ts"

/** The tips of the source and, where the rules come from another, of that. */
export interface Tips {
  source: Tip
  rules: Tip | undefined
  /**
   * Milliseconds since 1970 when they were known. Holds are judged as of then: a hold that ends while a run is
   * under way must not give it a second goal beside the one it has planned.
   */
  at: number
}

/** Fetches both branches; what it gives began to be read after the call. */
export async function fetchTips(ports: ReconcilePorts, signal: AbortSignal): Promise<Tips> {
  const source = await ports.repository.fetch(signal)
  const rules =
    ports.rulesRepository === ports.repository ? undefined : await ports.rulesRepository.fetch(signal)
  return { source, rules, at: ports.clock.now() }
}

/** The commit that a cluster should show, and the rules' own: a hold keeps both where they were when it was set. */
export function goalAt(tips: Tips, record: SourceRecord | undefined): SourceRevision {
  const hold = record?.hold ?? null
  const commit = goal(tips.source.commit, hold, tips.at)
  if (tips.rules === undefined) return { commit, rulesCommit: null }
  const frozen = hold && holdInForce(hold, tips.at) ? hold.rulesCommit : null
  return { commit, rulesCommit: frozen ?? tips.rules.commit }
}

/**
 * The desired revision at these tips under this record; or the commit that it `leaves`, which the record shows or has begun
 * and the goal does not contain: the branch was rewritten.
 *
 * seq is the count of all ancestors, so it grows on every fast-forward; a first-parent count would not, when
 * a foxtrot merge makes the old tip a second parent. Rules from another source add theirs: both only grow, until
 * the operator takes the rules from the source itself again. What they had added is then missing, and a new epoch
 * keeps the token from becoming smaller, which agents would refuse.
 */
export async function desiredAt(
  ports: ReconcilePorts,
  tips: Tips,
  record: SourceRecord,
  signal: AbortSignal,
): Promise<{ desired: DesiredRevision } | { leaves: string }> {
  const desired = await desiredWithin(ports, tips, record, epochInForce(record), signal)
  const leaves = await leftBehind(ports, desired, record, signal)
  if (leaves !== undefined) return { leaves }
  return shownBy(record).every((was) => isOrdered(was, desired))
    ? { desired }
    : { desired: await desiredInNewEpoch(ports, tips, record, signal) }
}

/**
 * The commit of the epoch in force that a desired revision does not contain; undefined: there is none. An intent without
 * targets was written nowhere. Where it is of another revision (an operator's rewind that a gate refused, before the release)
 * nothing has to contain it, and the epoch that it has raised lets nothing be left behind.
 */
async function leftBehind(
  ports: ReconcilePorts,
  desired: DesiredRevision,
  record: SourceRecord,
  signal: AbortSignal,
): Promise<string | undefined> {
  const intents = record.intents.filter(
    (intent) => intent.targets.length > 0 || isSameRevision(intent, desired),
  )
  const rest = shownBy({ ...record, intents })
  const isWhole = intents.length === record.intents.length
  const epoch = isWhole ? desired.token.epoch : Math.max(...rest.map(({ token }) => token.epoch))
  for (const was of rest) {
    if (was.token.epoch === epoch && !(await isOnward(ports, desired, was, signal))) return was.commit
  }
  return undefined
}

function isSameRevision(one: SourceRevision, other: SourceRevision): boolean {
  return one.commit === other.commit && one.rulesCommit === other.rulesCommit
}

/**
 * True when the token shows which of the two is newer, or they are one revision. A token that is smaller than what was
 * shown is in no order, though it be of the same commit: another program may have counted that commit as more.
 */
function isOrdered(was: OrderedRevision, desired: DesiredRevision): boolean {
  const order = compareTokens(was.token, desired.token)
  return order === 0 ? isSameRevision(was, desired) : order < 0
}

/** What the record says was shown or begun. */
export function shownBy(record: SourceRecord): OrderedRevision[] {
  const { commit, rulesCommit, token } = record
  return commit === null ? record.intents : [{ commit, rulesCommit, token }, ...record.intents]
}

/** A desired revision in a new epoch, for a branch that was rewritten and may be followed all the same. */
export async function desiredInNewEpoch(
  ports: ReconcilePorts,
  tips: Tips,
  record: SourceRecord,
  signal: AbortSignal,
): Promise<DesiredRevision> {
  return desiredWithin(ports, tips, record, epochInForce(record) + 1, signal)
}

/** True when a branch that was rewritten may be followed without an operator's word. */
export function mayFollowRewrite(ports: ReconcilePorts, tips: Tips, { hold }: SourceRecord): boolean {
  return ports.settings.allowForcePush && !(hold && holdInForce(hold, tips.at))
}

/** The error that stops a source whose goal does not contain what is shown. */
export function diverged(desired: string, shown: string): HeadraceError {
  return new HeadraceError(
    "git/diverged",
    `commit ${desired} does not contain ${shown}: the branch was rewritten`,
    { hint: "Run rewind --to COMMIT to follow it, or set allowForcePush." },
  )
}

/** An open intent as a desired revision: what was begun can be ended, when the goal itself cannot be reached. */
export function revisionOfIntent(intent: Intent): DesiredRevision {
  return { commit: intent.commit, rulesCommit: intent.rulesCommit, token: intent.token }
}

/** The seq of a revision. Throws `git/unknown-commit` when a mirror does not have it. */
export async function seqOf(
  ports: Pick<ReconcilePorts, "repository" | "rulesRepository">,
  revision: SourceRevision,
  signal: AbortSignal,
): Promise<number> {
  const seq = await countOf(ports.repository, revision.commit, signal)
  if (revision.rulesCommit === null) return seq
  return seq + (await countOf(ports.rulesRepository, revision.rulesCommit, signal))
}

async function desiredWithin(
  ports: ReconcilePorts,
  tips: Tips,
  record: SourceRecord,
  epoch: number,
  signal: AbortSignal,
): Promise<DesiredRevision> {
  const revision = goalAt(tips, record)
  if (record.hold && holdInForce(record.hold, tips.at)) await keepRevision(ports, revision, signal)
  return { ...revision, token: { epoch, seq: await seqOf(ports, revision, signal) } }
}

/** Keeps a revision's commits in the mirrors, also when the branch leaves them: an operator's word needs them. */
export async function keepRevision(
  ports: Pick<ReconcilePorts, "repository" | "rulesRepository">,
  { commit, rulesCommit }: SourceRevision,
  signal: AbortSignal,
): Promise<void> {
  await ports.repository.keep(commit, signal)
  if (rulesCommit !== null) await ports.rulesRepository.keep(rulesCommit, signal)
}

async function countOf(repository: SourceRepository, commit: string, signal: AbortSignal): Promise<number> {
  const here = await repository.seqOf(commit, signal)
  if (here !== undefined) return here
  // A mirror that was lost, or is new, does not have what a branch has left.
  const fetched = (await repository.keep(commit, signal)) ? await repository.seqOf(commit, signal) : undefined
  if (fetched !== undefined) return fetched
  throw new HeadraceError(
    "git/unknown-commit",
    `commit ${commit} is not in the mirror, and the server does not give it`,
    {
      hint: "Name a commit of the followed branch, by its full id.",
    },
  )
}

/** True when going from `was` to `desired` is a fast-forward, of the rules' own branch too. */
export async function isOnward(
  ports: Pick<ReconcilePorts, "repository" | "rulesRepository">,
  desired: SourceRevision,
  was: SourceRevision,
  signal: AbortSignal,
): Promise<boolean> {
  if (!(await ports.repository.contains(desired.commit, was.commit, signal))) return false
  if (desired.rulesCommit === null || was.rulesCommit === null) return true
  return ports.rulesRepository.contains(desired.rulesCommit, was.rulesCommit, signal)
}
