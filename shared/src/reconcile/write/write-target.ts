import { CONFIG_MAP_LIMIT_BYTES, type ConfigMap, configMapSize } from "../../foundation/config-map.ts"
import { HeadraceError } from "../../foundation/errors.ts"
import { targetText } from "../../foundation/target.ts"
import { compareAndSwap, createOnce } from "../../kube/compare-and-swap.ts"
import type { PlannedTarget } from "../../plan/plan.ts"
import type { ForeignWrite } from "../../record/record.ts"
import { compareTokens } from "../../record/token.ts"
import { placeText } from "../run/cluster-plan.ts"
import type { ReconcileMemory } from "../run/memory.ts"
import type { ReconcilePorts } from "../run/ports.ts"
import type { DesiredRevision } from "../run/revision.ts"
import { contentDigest } from "../target/content-digest.ts"
import {
  isMarked,
  isNewerFormat,
  isOurs,
  isStampBroken,
  otherOwner,
  readStamp,
  type Stamp,
} from "../target/ownership.ts"
import { foreignWrite } from "./foreign-write.ts"
import { refuseChanged } from "./refuse-changed.ts"
import { comparePlannedKeys, compareView, isChanged, renderView } from "./render-view.ts"
import { staleValues, tooLarge } from "./stale-values.ts"

/** How one target is to be written. */
export interface TargetWork {
  source: string
  desired: DesiredRevision
  planned: PlannedTarget
  /** True: it must carry the desired revision's token afterwards, even when its content is right already. */
  stamp: boolean
  /** What was written before, so that it need not be compared byte by byte; by cluster and place. */
  views?: ReconcileMemory["views"]
  /** Which keys that no rule names are ours to take away, given who wrote the target last. */
  owned(stamp: Stamp | undefined): Promise<(key: string) => boolean>
  /** True when another program has changed the content since it was stamped (foreign-write.ts). */
  altered(existing: ConfigMap): Promise<boolean>
  /** True when no writer of ours has written this stamp (believe-stamp.ts). Called after the target was read. */
  isStrangers(stamp: Stamp): Promise<boolean>
  /** True when what is desired was begun in a record that is lost (believe-stamp.ts). Called after the target was read. */
  isOfLostRecord(): Promise<boolean>
  /** True when a newer Headrace may have stamped it (believe-stamp.ts). Called after the target was read. */
  mayBeNewer(): Promise<boolean>
  /** What the record says that the target held: it takes the place of a stamp that is not ours. */
  inForce: Stamp | undefined
}

export interface TargetResult {
  /** `ahead`: it carries a larger token, or the record is another's by now: a later writer was here and nothing was done. */
  outcome: "written" | "unchanged" | "ahead"
  /** Another program's write that was found there and is repaired now. */
  foreign?: ForeignWrite
}

/**
 * Brings one named ConfigMap to its plan: read, refuse a larger token, leave equal content alone, write with
 * the resourceVersion that was read; after a conflict all of it again, the token's check too, since the
 * resourceVersion of a second read proves nothing about who is newer.
 *
 * A target without keys is written too: while it is absent nothing would refuse a late writer's creation.
 *
 * Throws `reconcile/not-ours`, `reconcile/other-source`, `reconcile/newer-format`, `reconcile/terminating`,
 * `reconcile/too-large`, `git/…` or `kube/…`: the target keeps what it holds. Throws `reconcile/changed-on-write` where it holds something else.
 */
export async function writeTarget(
  ports: ReconcilePorts,
  work: TargetWork,
  signal: AbortSignal,
): Promise<TargetResult> {
  const { namespace, name } = work.planned.target
  return compareAndSwap<TargetResult>(ports.clock, signal, async () => {
    const existing = await ports.kube.get(namespace, name, signal)
    if (existing) recordSize(ports, work, existing)
    const step = await nextStep(ports, work, existing, signal)
    if ("outcome" in step) return step
    const { next, foreign } = step
    const written = await (existing ? ports.kube.replace(next, signal) : createOnce(ports.kube, next, signal))
    refuseChanged(next, written)
    remember(work, written)
    recordSize(ports, work, written)
    return foreign ? { outcome: "written", foreign } : { outcome: "written" }
  })
}

/** What is to be written, and the foreign write to report. */
interface NextVersion {
  next: ConfigMap
  foreign: ForeignWrite | undefined
}

async function nextStep(
  ports: ReconcilePorts,
  work: TargetWork,
  existing: ConfigMap | undefined,
  signal: AbortSignal,
): Promise<NextVersion | TargetResult> {
  const { planned, desired, source } = work
  if (existing) judgeOwner(existing, source)
  if (existing && isNewerFormat(existing) && (await work.mayBeNewer())) throw newerFormat(existing)
  const { held, stamp, ownedBy, altered } = existing ? await marksOf(work, existing) : NO_MARKS
  const order = stamp ? compareTokens(stamp.token, desired.token) : -1
  if (order > 0) return { outcome: "ahead" }
  const difference = held
    ? comparePlannedKeys(held, planned)
    : compareView(existing, planned, await work.owned(ownedBy))
  // A program that took our marks off would let in a writer that wakes up late, and hide the target from prune.
  const isStamped = existing !== undefined && isMarked(existing, source) && !(work.stamp && order < 0)
  if (isStamped && !isChanged(difference) && !altered) return { outcome: "unchanged" }
  if (await isOvertaken(work, existing, stamp)) return { outcome: "ahead" }
  const foreign =
    existing && altered ? await foreignWrite(ports.kube, existing, ports.clock.now(), signal) : undefined
  const values = await staleValues(ports, planned, difference.stale, signal)
  const next = renderView(existing, planned, difference, values, {
    source,
    token: desired.token,
    commit: desired.commit,
    rulesCommit: desired.rulesCommit,
  })
  if (configMapSize(next) > CONFIG_MAP_LIMIT_BYTES) throw tooLarge(placeText(planned.target))
  return { next, foreign }
}

/**
 * True when the record is no longer the one that we began in. Only a stamp of our own epoch shows that it is. A later record's
 * writer stamps every target before it commits, so that our write of what we have read before that meets a conflict.
 */
async function isOvertaken(
  { desired, isOfLostRecord }: TargetWork,
  existing: ConfigMap | undefined,
  stamp: Stamp | undefined,
): Promise<boolean> {
  return existing !== undefined && stamp?.token.epoch !== desired.token.epoch && isOfLostRecord()
}

function recordSize(
  { sizes, clock }: ReconcilePorts,
  { source, planned }: TargetWork,
  configMap: ConfigMap,
): void {
  sizes?.note(source, planned.target, configMap, clock.now())
}

function remember(work: TargetWork, written: ConfigMap): void {
  const { metadata } = written
  const { planned, views } = work
  if (metadata.resourceVersion === undefined) return
  const { resourceVersion } = metadata
  views?.set(targetText(planned.target), { resourceVersion, content: contentDigest(written), planned })
}

/** The plan that the ConfigMap is known to hold: we wrote it, and it has not been written since. */
function heldPlan(work: TargetWork, existing: ConfigMap): PlannedTarget | undefined {
  const written = work.views?.get(targetText(work.planned.target))
  if (written?.resourceVersion !== existing.metadata.resourceVersion) return undefined
  return written?.content === contentDigest(existing) ? written.planned : undefined
}

/** What is known of a target before it is compared. */
interface Marks {
  /** The plan that it is known to hold. */
  held: PlannedTarget | undefined
  /** Of a writer of ours. */
  stamp: Stamp | undefined
  /** At which stamp the keys are known that are ours. */
  ownedBy: Stamp | undefined
  /** True when another program has changed it since we wrote it. */
  altered: boolean
}

const NO_MARKS: Marks = { held: undefined, stamp: undefined, ownedBy: undefined, altered: false }

async function marksOf(work: TargetWork, existing: ConfigMap): Promise<Marks> {
  const held = heldPlan(work, existing)
  const stamp = readStamp(existing)
  // What we wrote ourselves, and has not been written since, carries our stamp: of this record, unless it leads.
  const isOwn =
    held !== undefined && stamp !== undefined && compareTokens(stamp.token, work.desired.token) <= 0
  if (isOwn) return { held, stamp, ownedBy: stamp, altered: false }
  if (await hasForgedStamp(work, existing)) {
    return { held, stamp: undefined, ownedBy: work.inForce, altered: true }
  }
  const altered = held === undefined && (hasForeignMarks(work, existing) || (await work.altered(existing)))
  return { held, stamp, ownedBy: stamp, altered }
}

/** True when our stamp is whole and a label that goes with it is not: `withStamp` writes them together. */
function hasForeignMarks({ source }: TargetWork, existing: ConfigMap): boolean {
  return readStamp(existing) !== undefined && !isMarked(existing, source)
}

/** True when a stranger has changed the marks that we leave: then none of them has a say. */
async function hasForgedStamp({ source, isStrangers }: TargetWork, existing: ConfigMap): Promise<boolean> {
  const stamp = readStamp(existing)
  if (stamp === undefined) return isStampBroken(existing)
  return stamp.source !== source || (await isStrangers(stamp))
}

function judgeOwner(existing: ConfigMap, source: string): void {
  const place = placeText(existing.metadata)
  if (existing.metadata.deletionTimestamp !== undefined) {
    throw new HeadraceError("reconcile/terminating", `ConfigMap ${place} is being deleted`, {
      hint: "Wait: it is written again when it is gone. If it stays, remove what its finalizers wait for.",
    })
  }
  if (!isOurs(existing)) {
    throw new HeadraceError(
      "reconcile/not-ours",
      `ConfigMap ${place} exists and is not Headrace's or Prow's`,
      {
        hint: "Run adopt to take it over.",
      },
    )
  }
  const owner = otherOwner(existing, source)
  if (owner !== undefined) {
    throw new HeadraceError("reconcile/other-source", `ConfigMap ${place} belongs to source ${owner}`, {
      hint: "Let one source name it, or run adopt to move it.",
    })
  }
}

function newerFormat({ metadata }: ConfigMap): HeadraceError {
  const message = `ConfigMap ${placeText(metadata)} was written by a newer Headrace`
  return new HeadraceError("reconcile/newer-format", message, {
    hint: "Upgrade this program; until then the ConfigMap is left alone. Where no newer one ever ran, run adopt.",
  })
}
