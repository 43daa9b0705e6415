import { canonicalJson } from "../../foundation/canonical-json.ts"
import { sha256 } from "../../foundation/digest.ts"
import { HeadraceError, hasCode } from "../../foundation/errors.ts"
import { escapeText } from "../../foundation/escape-text.ts"
import type { Problem } from "../../foundation/problem.ts"
import { judgeGates } from "../../gates/judge-gates.ts"
import type { Plan } from "../../plan/plan.ts"
import { isLifted } from "../../record/approval.ts"
import type { SourceRecord } from "../../record/record.ts"
import type { Gates } from "../../settings/gates.ts"
import type { DesiredRevision, SourceRevision } from "../run/revision.ts"
import type { Run } from "../run/run.ts"
import { isOnward } from "./desired-revision.ts"
import { isReadable, rulesDigestAt, wholePlanAt } from "./plan-at.ts"

/** What a revision is compared with: the one in force, and whether its plan is known too. */
interface Basis {
  revision: SourceRevision
  /** False: only its files count, as after a record was lost, or for a rewind. */
  planned: boolean
}

/**
 * Judges a revision by the gates of its source, once: what is in force in a cluster, or was begun there, has passed.
 * A verdict is of the revision and not of the cluster: one that is behind, for which the change is larger, accepts a
 * revision that passes from what any other cluster shows. `newest`: the commit that targets show where the record is
 * lost. Throws `gate/…`, with what is wrong first: file, line and rule.
 */
export async function passGates(
  run: Run,
  {
    record,
    desired,
    newest,
  }: { record: SourceRecord; desired: DesiredRevision; newest?: string | undefined },
): Promise<void> {
  const { gates } = run.ports.settings
  if (gates === undefined || hasPassed(record, desired)) return
  if (await isApproved(run, record, desired)) return
  const problems = await problemsFrom(run, gates, desired, await basisOf(run, record, desired, newest))
  if (problems.length === 0) return
  if (await passesFromPeer(run, gates, desired)) {
    run.ports.log.info({ commit: desired.commit }, "gates passed from what another cluster shows")
    return
  }
  const error = refused(desired, problems)
  run.ports.log.warn({ err: error, ...error.fields }, "a gate refuses the commit; what is shown stays")
  throw error
}

/**
 * True for what a record shows, has shown or has begun to write: it was judged then, or was there before the gates. An
 * intent of a new epoch may be an operator's word (`rewind`, also one that was released since), opened before anything
 * is judged: it says nothing of that.
 */
function hasPassed(record: SourceRecord, revision: SourceRevision): boolean {
  if (isSame(record, revision)) return true
  if (record.candidate && isSame(record.candidate, revision)) return true
  if (record.previous && isSame(record.previous, revision)) return true
  if (record.history.some(({ commit }) => commit === revision.commit)) return true
  return record.intents.some(
    (intent) =>
      isSame(intent, revision) && intent.targets.length > 0 && intent.token.epoch <= record.token.epoch,
  )
}

function isSame(one: Pick<SourceRecord, "commit" | "rulesCommit">, other: SourceRevision): boolean {
  return one.commit === other.commit && one.rulesCommit === other.rulesCommit
}

/** An operator's order to go to this commit, which need not be a descendant: as large as the change may be, it is meant. */
function isRewind({ hold, token, intents }: SourceRecord, revision: SourceRevision): boolean {
  if (hold?.commit !== revision.commit) return false
  return intents.some((intent) => isSame(intent, revision) && intent.token.epoch > token.epoch)
}

/** An operator's `approve --gate` of this commit under these rules. */
async function isApproved(
  { ports, memory, signal }: Run,
  record: SourceRecord,
  desired: SourceRevision,
): Promise<boolean> {
  if (!isLifted(record, "gate", desired)) return false
  return record.approved?.rules === (await rulesDigestAt(ports, memory, desired, signal))
}

async function basisOf(
  { ports, signal }: Run,
  record: SourceRecord,
  desired: SourceRevision,
  newest: string | undefined,
): Promise<Basis | undefined> {
  const { commit, rulesCommit } = record
  const shown = commit ?? newest
  if (shown === undefined) return undefined
  const revision = { commit: shown, rulesCommit }
  const planned = commit !== null && !isRewind(record, desired)
  if (await isReadable(ports, revision, signal)) return { revision, planned }
  // Rules may come from elsewhere by now; the files are those of the commit all the same.
  const isKnown = (await ports.repository.seqOf(shown, signal)) !== undefined
  return isKnown ? { revision, planned: false } : undefined
}

/**
 * The verdict from one basis, out of memory where it was made before or is being made for another cluster; a full run makes
 * it again where it was bad.
 */
async function problemsFrom(
  run: Run,
  gates: Gates,
  desired: DesiredRevision,
  basis: Basis | undefined,
): Promise<readonly Problem[]> {
  const { memory, request } = run
  const revision = { commit: desired.commit, rulesCommit: desired.rulesCommit }
  const key = sha256(canonicalJson({ gates, revision, basis: basis ?? null }))
  // A verdict that failed, or ended with another run's signal, is none.
  const known = await memory.verdicts.get(key)?.catch(() => undefined)
  if (known && (known.length === 0 || request.mode !== "full")) return known
  const verdict = judge(run, gates, revision, basis)
  memory.verdicts.set(key, verdict)
  return verdict
}

async function judge(
  run: Run,
  gates: Gates,
  desired: SourceRevision,
  basis: Basis | undefined,
): Promise<Problem[]> {
  const { ports, memory, signal } = run
  const { repository } = ports
  const before = basis && (await repository.tree(basis.revision.commit, signal))
  const plans = gates.change && basis?.planned ? await plansOf(run, basis.revision, desired) : undefined
  const after = await repository.tree(desired.commit, signal)
  return judgeGates(
    { commit: desired.commit, gates, before, after, plans, isShapeJudged: basis?.planned === true },
    {
      memory,
      read: (files) =>
        repository.blobs(
          files.map(({ oid }) => oid),
          signal,
        ),
    },
    signal,
  )
}

async function plansOf(
  { ports, memory, signal }: Run,
  shown: SourceRevision,
  desired: SourceRevision,
): Promise<{ before: Plan; after: Plan } | undefined> {
  const after = await wholePlanAt(ports, memory, desired, signal)
  try {
    const before = await wholePlanAt(ports, memory, shown, signal)
    return { before: before.plan, after: after.plan }
  } catch (error) {
    // Rules in force that this version does not read: which targets they gave is not known.
    if (hasCode(error, "rules/")) return undefined
    throw error
  }
}

async function passesFromPeer(run: Run, gates: Gates, desired: DesiredRevision): Promise<boolean> {
  const { ports, signal } = run
  for (const peer of (await ports.peers?.(signal)) ?? []) {
    if (hasPassed(peer, desired)) return true
    if (peer.commit === null) continue
    const revision = { commit: peer.commit, rulesCommit: peer.rulesCommit }
    if (!(await isReadable(ports, revision, signal))) continue
    if (!(await isOnward(ports, desired, revision, signal))) continue
    if ((await problemsFrom(run, gates, desired, { revision, planned: true })).length === 0) return true
  }
  return false
}

function refused({ commit }: DesiredRevision, problems: readonly Problem[]): HeadraceError {
  const [first] = problems
  const code = first?.code ?? "gate/exec"
  const place = [first?.file, first?.line, first?.column].filter((part) => part !== undefined).join(":")
  const more = problems.length > 1 ? `; ${problems.length - 1} more` : ""
  const message = escapeText(`${place ? `${place}: ` : ""}${first?.message}${more}`)
  return new HeadraceError(code, message, {
    hint: first?.hint ?? `Run approve --gate --commit ${commit.slice(0, 12)} if it is meant.`,
    fields: { commit, problems: problems.length, file: first?.file, line: first?.line },
  })
}
