import {
  countOf,
  type GuardedKey,
  type GuardedTarget,
  type GuardedTargets,
} from "../../gates/guard/measure-change.ts"
import type { TargetEntry } from "../../record/build-index.ts"
import type { SourceRecord } from "../../record/record.ts"
import { type ClusterPlan, placeText } from "../run/cluster-plan.ts"
import type { Run } from "../run/run.ts"
import type { KnownFailures } from "../store/known-failures.ts"
import { lastTargets, storedKeys, targetsBelow } from "../store/stored-targets.ts"
import { comparedKeys, keysInDoubt, likeOf } from "./guarded-keys.ts"
import type { Survey } from "./survey-targets.ts"
import { unnamedTargets } from "./unnamed-targets.ts"

export interface InForce {
  record: SourceRecord
  /** What is to come. */
  plan: ClusterPlan
  /** The plan of what the record shows, under the same rules and settings; undefined: it is not known. */
  previous: ClusterPlan | undefined
  /** What the named ConfigMaps hold, where the previous plan does not say it. */
  survey: Pick<Survey, "held" | "changed">
  failures: KnownFailures
}

/**
 * What the cluster's targets hold of ours, so far as a plan may take it away. Where the plan in force is known it says that,
 * and the store says what targets hold that it refused. Where it is not known because settings changed, the store's root index
 * says it: what a named ConfigMap holds beside that is a stranger's, and must not make our share look smaller. Where the record
 * is lost or was put back, or work is under way, the named ConfigMaps say it as well: whichever holds more. Where there is no
 * store, those that the plan does not name count by their marks: nothing else says that they are ours. `unknown`: the
 * store has lost what the record names, or what a lost record named last, and nothing else says what it was.
 *
 * Throws `kube/…`, when anything cannot be read: then it is not known, and nothing may be judged.
 */
export async function heldInForce(run: Run, input: InForce): Promise<GuardedTargets | "unknown"> {
  const { plan, previous, survey } = input
  const planned = [...(previous?.targets ?? [])].map(
    ([place, was]) => [place, comparedKeys(was, plan.targets.get(place))] as const,
  )
  const stored = await storedTargets(run, input)
  if (stored === undefined) return "unknown"
  const unnamed = stored.length === 0 && isUntold(input) ? await unnamedTargets(run, plan) : []
  const held = new Map<string, GuardedTarget>([...planned, ...survey.held, ...unnamed])
  const isWhole = isRootInForce(run, input.record)
  for (const entry of stored) {
    const place = placeText(entry)
    if (previous?.targets.has(place)) continue
    const known = held.get(place) ?? 0
    const isSame = countOf(known) === entry.files && !survey.changed.has(place)
    if (isSame || (!isWhole && countOf(known) >= entry.files)) continue
    held.set(place, await heldWithStored(run, { entry, known, plan, isWhole }))
  }
  if (isWhole) doubtUnnamed(held, input, new Set(stored.map(placeText)))
  return held
}

/**
 * True when no plan says what was in force, but that something was: a cluster that is built from nothing has no ConfigMap of ours
 * yet, and is asked for none.
 */
function isUntold({ record, previous, survey }: InForce): boolean {
  return previous === undefined && (record.commit !== null || survey.held.size > 0)
}

/** What the root in force does not name is not in force: a ConfigMap that an earlier commit left, or that Prow wrote. */
function doubtUnnamed(
  held: Map<string, GuardedTarget>,
  { plan, survey }: InForce,
  named: ReadonlySet<string>,
): void {
  for (const place of survey.held.keys()) {
    const [known, planned] = [held.get(place), plan.targets.get(place)]
    if (named.has(place) || planned === undefined || !Array.isArray(known)) continue
    held.set(place, keysInDoubt(known, planned))
  }
}

/** What a target holds by its entry in the store, whole or beside what else is known of it. */
async function heldWithStored(
  run: Run,
  {
    entry,
    known,
    plan,
    isWhole,
  }: { entry: TargetEntry; known: GuardedTarget; plan: ClusterPlan; isWhole: boolean },
): Promise<GuardedTarget> {
  const place = placeText(entry)
  // Which keys these are matters only where some stay.
  const stays = (plan.targets.get(place)?.keys.length ?? 0) > 0 && !plan.refused.has(place)
  if (!stays) return entry.files
  const keys = await storedKeys(run, entry, likeOf(plan))
  if (keys) return isWhole ? keys : union(known, keys)
  return countOf(known) < entry.files ? entry.files : known
}

/** True when what the record's root has is all that targets hold of ours: what they were given since is not in it. */
function isRootInForce(run: Run, { commit, root, intents, failed }: SourceRecord): boolean {
  if (commit === null || root === null || !run.ports.settings.store || intents.length > 0) return false
  return run.beyond === undefined && !failed.some(({ ahead }) => ahead === true)
}

/** What the store holds beside the plan in force; undefined when that is lost. */
async function storedTargets(
  run: Run,
  { record, previous, failures }: InForce,
): Promise<TargetEntry[] | undefined> {
  // Where the store was turned off since, what the record names is in force all the same.
  if (!run.ports.settings.store && record.root === null) return []
  // A record that was put back names an earlier root than what was in force.
  const last = run.beyond ? await lastTargets(run, record) : undefined
  if (last !== undefined && last.length > 0) return last
  if (previous && previous.refused.size === 0 && failures.held.size === 0) return []
  if (record.root === null) return record.commit === null ? lastTargets(run, record) : []
  const listed = await targetsBelow(run, record.root)
  if (listed) return listed
  return previous ? [...failures.held.values()] : undefined
}

function union(known: GuardedTarget, stored: readonly GuardedKey[]): readonly GuardedKey[] {
  // Only a target that the plan in force has is compared with it, and of those the store is not asked.
  if (typeof known === "number" || "same" in known) return stored
  const names = new Set(stored.map(({ key }) => key))
  return [...stored, ...known.filter(({ key }) => !names.has(key))]
}
