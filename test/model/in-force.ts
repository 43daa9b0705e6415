import { isDeepStrictEqual } from "node:util"
import { settingsOfRecord } from "@headrace/shared/reconcile/decide/judge-settings"
import type { Intent, SourceRecord } from "@headrace/shared/record/record"
import { compareTokens, tokenText } from "@headrace/shared/record/token"
import type { InForce, Revision } from "./in-force-state.ts"
import { type HeldTargets, lossOf, type PastLoss, tripsGuard } from "./model-guard.ts"
import { ruledFiles } from "./model-revision.ts"
import { type ExpectedTarget, expectedTargets } from "./model-rules.ts"
import { GUARD, settingsFor } from "./model-settings.ts"
import type { Source } from "./model-sources.ts"
import type { Write } from "./monitored-cluster.ts"
import type { Simulation } from "./simulation.ts"
import type { Assembled } from "./store-view.ts"
import { sameKeys } from "./store-view.ts"

const NOTHING: InForce = {
  held: new Map(),
  counted: [],
  possible: [],
  isHeld: false,
  unsure: false,
  begun: [],
  settings: null,
}

export function inForceOf(simulation: Simulation, cluster: string, source: string): InForce {
  return simulation.inForce.get(`${cluster} ${source}`) ?? NOTHING
}

export function setInForce(simulation: Simulation, cluster: string, source: string, now: InForce): void {
  simulation.inForce.set(`${cluster} ${source}`, now)
}

/**
 * Whether going to a revision takes away more than the guard lets pass: for certain, or perhaps. `isUnread`: places that lose
 * nothing for certain.
 */
export function judge(
  simulation: Simulation,
  cluster: string,
  source: string,
  to: Revision,
  isUnread: (place: string) => boolean = () => false,
): { certain: boolean; possible: boolean } {
  const { held, counted, possible, isHeld, unsure } = inForceOf(simulation, cluster, source)
  const expected = expectedAt(simulation, cluster, source, to)
  if (expected === undefined) return { certain: false, possible: false }
  const read = [...expected].map(
    ([place, target]) => [place, isUnread(place) ? { ...target, refused: true } : target] as const,
  )
  const still = isHeld ? counted : stillCounted(simulation, counted)
  return {
    certain: tripsGuard(lossOf(held, new Map(read)), still),
    possible: unsure || tripsGuard(lossOf(held, expected), possible),
  }
}

/** By every clock that there is: one that is ahead may forget what others still count. */
function stillCounted({ latest }: Simulation, counted: readonly PastLoss[]): PastLoss[] {
  return counted.filter(({ at }) => at + GUARD.window > latest)
}

/** Notes what was begun, and under which settings, by the writer that opened its intent first. */
export function noteBegun(
  simulation: Simulation,
  cluster: string,
  record: SourceRecord,
  { settings }: Pick<Write, "settings">,
): void {
  const { begunUnder, allowForcePush } = simulation
  const { source, intents } = record
  const was = inForceOf(simulation, cluster, source)
  const begun = [...was.begun, ...revisionsOf(record)]
  setInForce(simulation, cluster, source, { ...was, begun: begun.filter(isFirst) })
  const names = intents.map((intent) => nameOf(cluster, source, intent))
  const fresh = names.filter((name) => !begunUnder.has(name))
  if (fresh.length === 0) return
  const digest = settingsOfRecord(settingsFor(settings, source, allowForcePush))?.digest ?? null
  for (const name of fresh) begunUnder.set(name, digest)
}

function revisionsOf({ intents, settings }: SourceRecord): Revision[] {
  return intents.map(({ commit, rulesCommit }) => ({ commit, rulesCommit, settings }))
}

function isFirst(revision: Revision, index: number, all: readonly Revision[]): boolean {
  return all.findIndex((other) => isDeepStrictEqual(other, revision)) === index
}

/** True when work was begun under other settings than these, or under none: a hold judges nothing. */
export function isBegunUnderOthers(
  { begunUnder }: Simulation,
  cluster: string,
  { source, settings }: SourceRecord,
  intent: Intent,
): boolean {
  if (intent.rules === undefined) return true
  return begunUnder.get(nameOf(cluster, source, intent)) !== (settings?.digest ?? null)
}

function nameOf(cluster: string, source: string, { token, commit }: Intent): string {
  return `${cluster} ${source} ${tokenText(token)} ${commit}`
}

/** Notes that a hold has begun, or has ended: what counted then counts for a window from its end. */
export function noteHold(
  simulation: Simulation,
  cluster: string,
  { before, after }: { before: SourceRecord; after: SourceRecord },
): void {
  const was = inForceOf(simulation, cluster, after.source)
  const isHeld = after.hold !== null
  if (isHeld === was.isHeld) return
  const end = Math.min(simulation.now, Date.parse(before.hold?.until ?? "") || simulation.now)
  const counted = isHeld
    ? stillCounted(simulation, was.counted)
    : was.counted.map((one) => ({ ...one, at: end }))
  setInForce(simulation, cluster, after.source, { ...was, counted, isHeld })
}

/** A swap of a record, and what the store holds then; undefined: it holds what was known of it. */
interface Swap {
  before: SourceRecord
  after: SourceRecord
  stored: Assembled | undefined
  /** True where targets could not be read, or were lost with an earlier record: `stored` shows which. */
  isPartial: boolean
}

/** Notes what a swap of the record has brought into force. */
export function noteCommit(
  simulation: Simulation,
  cluster: string,
  { before, after, stored, isPartial }: Swap,
): void {
  const { commit } = after
  if (commit === null) return
  const was = inForceOf(simulation, cluster, after.source)
  if (isSame(before, after)) {
    noteAgain(simulation, cluster, { before, after })
    return
  }
  const expected = expectedAt(simulation, cluster, after.source, { ...after, commit })
  if (expected === undefined) return
  const kept = heldAfter(was.held, expected, isPartial ? stored : undefined)
  const begun = was.begun.map((one) => expectedAt(simulation, cluster, after.source, one))
  const held = new Map([...kept, ...(before.commit === null ? begunOf(begun, expected, stored) : [])])
  const { deletedKeys, lost, lostOfSeveral } = lossOf(was.held, expectedFrom(held, expected))
  const past = deletedKeys > 0 ? [{ at: simulation.now, deletedKeys, lost }] : []
  // With what came before it may have been beyond the floor, where each ConfigMap counts: not for certain.
  const certain = past.map((one) => ({ ...one, lost: deletedKeys > GUARD.atLeast ? lost : lostOfSeveral }))
  const isKnown =
    before.commit !== null && !simulation.isDoubtful && was.settings === (after.settings?.digest ?? null)
  const startsOver = before.commit === null || isApproved(before, after)
  setInForce(simulation, cluster, after.source, {
    held,
    counted: startsOver ? [] : [...was.counted, ...(isKnown ? certain : [])],
    possible: [...was.possible, ...past],
    isHeld: was.isHeld,
    unsure: was.unsure || !isKnown,
    begun: revisionsOf(after),
    settings: after.settings?.digest ?? null,
  })
}

/**
 * What is refused keeps what it held, and so does what could not be read: then the store has that. What the store does not
 * have of refused targets was lost with an earlier record, and with its garbage.
 */
function heldAfter(
  was: HeldTargets,
  expected: ReadonlyMap<string, ExpectedTarget>,
  stored: Assembled | undefined,
): HeldTargets {
  const held = new Map<string, ReadonlyMap<string, string>>()
  for (const [place, { refused, keys }] of expected) {
    const [kept, found] = [was.get(place), stored?.get(place)]
    if (!refused && (!stored || (found && sameKeys(keys, found)))) held.set(place, keys)
    else if (kept && (!stored || (found && sameKeys(kept, found)))) held.set(place, kept)
  }
  return held
}

/**
 * Notes that what is in force was brought into force again: nothing that was begun before counts any more. An operator who
 * rewinds to it has looked at what is shown.
 */
function noteAgain(
  simulation: Simulation,
  cluster: string,
  { before, after }: Pick<Swap, "before" | "after">,
): void {
  if (compareTokens(after.token, before.token) <= 0) return
  const was = inForceOf(simulation, cluster, after.source)
  const counted = isApproved(before, after) ? [] : was.counted
  setInForce(simulation, cluster, after.source, { ...was, counted, begun: revisionsOf(after) })
}

/**
 * What refused targets hold of work that was begun, where the record was lost before it showed any: nothing in the cluster says
 * whether that came into force, and the latest root counts (docs/decisions/045).
 */
function begunOf(
  begun: readonly (ReadonlyMap<string, ExpectedTarget> | undefined)[],
  expected: ReadonlyMap<string, ExpectedTarget>,
  stored: Assembled | undefined,
): HeldTargets {
  const held = new Map<string, ReadonlyMap<string, string>>()
  for (const [place, { refused }] of expected) {
    const found = stored?.get(place)
    if (!refused || found === undefined) continue
    const meant = begun.map((one) => one?.get(place)).filter((one) => one !== undefined && !one.refused)
    if (meant.some((one) => one && sameKeys(one.keys, found))) held.set(place, found)
  }
  return held
}

/** As the guard sees it: what could not be read is refused. */
function expectedFrom(
  held: HeldTargets,
  expected: ReadonlyMap<string, ExpectedTarget>,
): ReadonlyMap<string, ExpectedTarget> {
  return new Map(
    [...expected].map(([place, target]) => [place, { ...target, refused: held.get(place) !== target.keys }]),
  )
}

function expectedAt(simulation: Simulation, cluster: string, source: string, to: Revision) {
  const settings = simulation.settings.of(source, to)
  return expectedTargets(ruledFiles(simulation, source as Source, to, settings), cluster)
}

function isSame(a: SourceRecord, b: SourceRecord): boolean {
  const isOne = a.commit === b.commit && a.rulesCommit === b.rulesCommit && a.rules === b.rules
  return isOne && a.root === b.root
}

/** An operator has looked at what this deletes, so that counting starts over. */
function isApproved(before: SourceRecord, after: SourceRecord): boolean {
  // Its hold may have come to an end before it was carried out.
  const isRewound = before.hold?.commit === after.commit && after.token.epoch > before.token.epoch
  return isRewound || before.approved?.commit === after.commit
}
