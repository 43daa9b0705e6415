import { HeadraceError, hasCode } from "../../foundation/errors.ts"
import type { SourceRepository } from "../../git/source-repository.ts"
import { epochInForce, openIntent } from "../../record/intents.ts"
import type { Hold, SourceRecord } from "../../record/record.ts"
import { endRollout } from "../../rollout/words.ts"
import { countedDeletions, deletionsAtHold } from "../decide/counted-deletions.ts"
import { isOnward, keepRevision, seqOf, shownBy } from "../decide/desired-revision.ts"
import { rulesDigestAt } from "../decide/plan-at.ts"
import { changeRecord, type RecordPorts } from "../record/change-record.ts"
import { createReconcileMemory } from "../run/memory.ts"
import type { ReconcileSettings } from "../run/ports.ts"
import type { SourceRevision } from "../run/revision.ts"

/** A record, and the repositories that show which commit comes after which. */
export interface HoldPorts extends RecordPorts {
  repository: SourceRepository
  rulesRepository: SourceRepository
  /** What the guard counts. */
  settings: Pick<ReconcileSettings, "guard">
}

/** The same with settings: a rewind and an approval are for one set of rules and what these settings make of it. */
export interface ApprovePorts extends HoldPorts {
  settings: ReconcileSettings
}

/**
 * Holds a source where it is, or at a commit ahead of it, whatever wakes it up; rules that come from another
 * source stay at the commit that the record shows. Without `commit`: at the one
 * the record shows. An earlier commit needs `rewind` (`record/hold-behind`).
 */
export async function holdSource(
  ports: HoldPorts,
  hold: Omit<Hold, "commit" | "rulesCommit"> & { commit?: string },
  signal: AbortSignal,
): Promise<SourceRecord> {
  return changeRecord(
    ports,
    async (shown) => {
      const record = endRollout(shown)
      const commit = hold.commit ?? record.commit
      if (commit === null)
        throw new HeadraceError("record/empty", `${ports.source} shows no commit to hold at yet`)
      const { rulesCommit } = record
      await keepHeld(ports, record, { commit, rulesCommit }, signal)
      const deletions = deletionsAtHold(record, ports.settings.guard, ports.clock.now())
      const held = { ...record, deletions, hold: { ...hold, commit, rulesCommit } }
      if (await isAhead(ports, record, { commit, rulesCommit }, signal)) return held
      // An open intent may have written beyond it already, or under newer rules: going back on that takes a new epoch.
      if (commit === record.commit || (await isAhead(ports, record, { commit, rulesCommit: null }, signal))) {
        return inNewEpoch(ports, held, { commit, rulesCommit }, signal)
      }
      throw new HeadraceError("record/hold-behind", `commit ${commit} is behind what ${ports.source} shows`, {
        hint: "Run rewind --to COMMIT to go back.",
      })
    },
    signal,
  )
}

/**
 * Takes a source to a commit that need not be a descendant of what it shows: raises the epoch, so that every
 * writer of the old one is refused from then on, and holds there until `release`. Rules that come from another
 * source are held at `rulesCommit`; without it at the tip of their branch, which may have been rewritten too.
 * The intent that raises the epoch approves what this deletes. The epoch is the next one, or `atLeast`: where nodes show
 * an epoch that no record knows any more, and that lies too far ahead to be believed, only an operator goes beyond it.
 */
export async function rewindSource(
  ports: ApprovePorts,
  { atLeast = 0, ...hold }: Omit<Hold, "rulesCommit"> & { rulesCommit?: string; atLeast?: number },
  signal: AbortSignal,
): Promise<SourceRecord> {
  const { repository, rulesRepository } = ports
  // Fetched even where the commit is given: it may be newer than the mirror.
  const rulesTip = rulesRepository === repository ? undefined : await rulesRepository.fetch(signal)
  const rulesCommit = rulesTip ? (hold.rulesCommit ?? rulesTip.commit) : null
  const revision = { commit: hold.commit, rulesCommit }
  return changeRecord(
    ports,
    async (record) => {
      const rules = await rulesOf(ports, revision, signal)
      const held = { ...endRollout(record), previous: null, hold: { ...hold, rulesCommit } }
      return inNewEpoch(ports, held, { ...revision, ...rules }, signal, atLeast)
    },
    signal,
  )
}

/** Lets the source follow its branch again. */
export async function releaseSource(ports: RecordPorts, signal: AbortSignal): Promise<SourceRecord> {
  return changeRecord(
    ports,
    (record) => {
      if (record.hold === null) return record
      return { ...record, hold: null, deletions: countedDeletions(record, ports.clock.now()).past }
    },
    signal,
  )
}

/** The epoch is raised by an intent without targets: nothing is written before a reconcile takes it up. */
async function inNewEpoch(
  ports: HoldPorts,
  record: SourceRecord,
  revision: SourceRevision & { rules?: string },
  signal: AbortSignal,
  atLeast = 0,
): Promise<SourceRecord> {
  const token = {
    epoch: Math.max(epochInForce(record) + 1, atLeast),
    seq: await seqOf(ports, revision, signal),
  }
  return openIntent(record, { ...revision, token, targets: [] })
}

/** None where the rules cannot be read at that commit: a reconcile says so. */
async function rulesOf(
  ports: ApprovePorts,
  revision: SourceRevision,
  signal: AbortSignal,
): Promise<{ rules?: string }> {
  try {
    return { rules: await rulesDigestAt(ports, createReconcileMemory(), revision, signal) }
  } catch (error) {
    if (hasCode(error, "rules/")) return {}
    throw error
  }
}

/** What the record shows already needs nothing from git: a hold there must work while its origin is away. */
async function keepHeld(
  ports: HoldPorts,
  record: SourceRecord,
  revision: SourceRevision,
  signal: AbortSignal,
): Promise<void> {
  try {
    await keepRevision(ports, revision, signal)
  } catch (error) {
    if (signal.aborted || !sameRevision(record, revision) || !hasCode(error, "git/")) throw error
  }
}

function sameRevision(one: Pick<SourceRecord, "commit" | "rulesCommit">, other: SourceRevision): boolean {
  return one.commit === other.commit && one.rulesCommit === other.rulesCommit
}

async function isAhead(
  ports: HoldPorts,
  record: SourceRecord,
  revision: SourceRevision,
  signal: AbortSignal,
): Promise<boolean> {
  const epoch = epochInForce(record)
  for (const was of shownBy(record)) {
    if (was.token.epoch !== epoch || sameRevision(was, revision)) continue
    if (!(await isOnward(ports, revision, was, signal))) return false
  }
  return true
}
