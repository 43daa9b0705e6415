import pLimit from "p-limit"
import { type ConfigMap, configMapBytes } from "../../foundation/config-map.ts"
import { contentId, isBlank } from "../../foundation/content-id.ts"
import { errorText, hasCode } from "../../foundation/errors.ts"
import { gunzipped } from "../../foundation/gunzip.ts"
import type { TargetId } from "../../foundation/target.ts"
import type { GuardedKey, GuardedTargets } from "../../gates/guard/measure-change.ts"
import { readConfigMap } from "../../kube/read-config-map.ts"
import { VERSION_KEY } from "../../plan/judge-keys.ts"
import type { PlannedTarget } from "../../plan/plan.ts"
import { unreadReason } from "../../record/record.ts"
import { compareTokens } from "../../record/token.ts"
import { type ClusterPlan, placeText } from "../run/cluster-plan.ts"
import type { ReconcilePorts } from "../run/ports.ts"
import type { OrderedRevision } from "../run/revision.ts"
import { contentDigest } from "../target/content-digest.ts"
import { ownedKeys, type PlanOf } from "../target/owned-keys.ts"
import { isOurs, otherOwner, readStamp, type Stamp } from "../target/ownership.ts"
import { isCredible } from "./believe-stamp.ts"
import { guardedKeys, keysInDoubt, likeOf } from "./guarded-keys.ts"

const CONCURRENT_READS = 6

/** What the planned targets hold now, where no record shows it. */
export interface Survey {
  /** Of those that the source may write, the keys that are its own to take away; VERSION left out. */
  held: GuardedTargets
  /** `namespace/name` of those that hold something else than what their stamp says, or carry none. */
  changed: ReadonlySet<string>
  /** The credible stamp with the largest token: what they show that must not be gone back on. */
  newest: OrderedRevision | undefined
  /** `namespace/name` to the reason, of targets that may not be read: what they hold stays, unjudged and unwritten. */
  unreadable: ReadonlyMap<string, string>
}

/** One target of the source's. */
interface Seen {
  place: string
  stamp: Stamp | undefined
  isChanged: boolean
  keys: GuardedKey[]
}

interface SurveyInput {
  source: string
  plan: ClusterPlan
  planOf: PlanOf
  shown?: (() => Promise<ClusterPlan | undefined>) | undefined
}

/**
 * Reads every planned target, to take the place of a plan in force that is not known: the guard then compares with what is
 * really there, and the tokens on the targets say what must not be gone back on. `shown` gives what the rules of now make of
 * the commit that the record shows, where they parse. Without it no record says what is ours, and all of a target counts.
 */
export async function surveyTargets(
  ports: ReconcilePorts,
  { source, plan, planOf, shown }: SurveyInput,
  signal: AbortSignal,
): Promise<Survey> {
  const limit = pLimit(CONCURRENT_READS)
  const unreadable = new Map<string, string>()
  const like = likeOf(plan)
  const planned = [...plan.targets.values()].filter((target) => target.view)
  const found = await Promise.all(planned.map((target) => limit(() => look(target))))
  const seen = found.filter((one) => one !== undefined)
  return {
    unreadable,
    held: new Map(seen.map(({ place, keys }) => [place, keys])),
    changed: new Set(seen.flatMap(({ place, isChanged }) => (isChanged ? place : []))),
    newest: await newestCredible(
      ports,
      seen.flatMap(({ stamp }) => (stamp?.source === source ? stamp : [])),
      signal,
    ),
  }

  // Rights that one namespace lacks cost that namespace; anything else that fails leaves unknown what is held.
  async function readTarget(target: TargetId): Promise<ConfigMap | undefined> {
    try {
      return await readConfigMap(ports, target, signal)
    } catch (error) {
      if (!hasCode(error, "kube/forbidden")) throw error
      unreadable.set(placeText(target), unreadReason(errorText(error)))
      return undefined
    }
  }

  // Contents are dropped immediately: all targets together may be larger than memory.
  async function look(planned: PlannedTarget): Promise<Seen | undefined> {
    const { target } = planned
    const configMap = await readTarget(target)
    if (configMap === undefined || !isOurs(configMap)) return undefined
    if (otherOwner(configMap, source) !== undefined) return undefined
    const place = placeText(target)
    const stamp = readStamp(configMap)
    const isChanged = stamp?.content !== contentDigest(configMap)
    const named = new Set(planned.keys.map(({ key }) => key))
    const keys = await removable(keysOf(configMap, like), named, place, stamp)
    if (shown === undefined || !isChanged || stamp === undefined) return { place, stamp, isChanged, keys }
    const given = (await shown())?.targets.get(place)
    return { place, stamp, isChanged, keys: certainKeys(keys, planned, given) }
  }

  /** Keys that no rule names count only where they are the source's to take away. */
  async function removable(
    found: GuardedKey[],
    named: ReadonlySet<string>,
    place: string,
    stamp: Stamp | undefined,
  ): Promise<GuardedKey[]> {
    if (found.every(({ key }) => named.has(key))) return found
    const owned = await ownedKeys(ports.settings.foreignKeys, place, planOf)(stamp)
    return found.filter(({ key }) => named.has(key) || owned(key))
  }
}

/**
 * What a target holds of ours that others have changed since it was stamped: what the rules give it at the commit in force, as
 * git has it. Any other key is in doubt.
 */
function certainKeys(
  found: readonly GuardedKey[],
  planned: PlannedTarget,
  given: PlannedTarget | undefined,
): GuardedKey[] {
  const ours = given ? guardedKeys(given) : []
  const known = new Set(ours.map(({ key }) => key))
  const others = found.filter(({ key }) => !known.has(key))
  return [...ours, ...keysInDoubt(others, planned)]
}

/**
 * The credible stamp with the largest token: within an epoch every other one is of an ancestor of its commit. Only the
 * record proves a stamp, and here it knows too little: a stranger's that is credible is taken for one of ours.
 */
export async function newestCredible(
  ports: ReconcilePorts,
  stamps: readonly Stamp[],
  signal: AbortSignal,
): Promise<OrderedRevision | undefined> {
  for (const { commit, rulesCommit, token } of stamps.toSorted((a, b) => compareTokens(b.token, a.token))) {
    if (await isCredible(ports, { commit, rulesCommit, token }, signal))
      return { commit, rulesCommit: null, token }
  }
  return undefined
}

/** Nothing larger is a file of a ConfigMap: where unpacking ends. */
const MOST_UNPACKED = 8 * 1024 * 1024

function keysOf(configMap: ConfigMap, like: string): GuardedKey[] {
  return [...configMapBytes(configMap)]
    .filter(([key]) => key !== VERSION_KEY)
    .map(([key, bytes]) => {
      // A file may itself be gzip: then its name is that of no content, and it equals no other.
      const content = isGzip(bytes) ? gunzipped(bytes, MOST_UNPACKED) : bytes
      if (content === undefined) return { key, content: undefined, empty: false }
      const oid = contentId(content, like)
      return { key, content: oid, empty: isBlank({ size: content.length, oid }) }
    })
}

function isGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}
