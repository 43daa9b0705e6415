import { gunzipSync } from "node:zlib"
import { type ConfigMap, configMapBytes } from "@headrace/shared/foundation/config-map"
import { isOurs } from "@headrace/shared/reconcile/ownership"
import { goal } from "@headrace/shared/record/goal"
import type { Record } from "@headrace/shared/record/record"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { type ExpectedTarget, expectedTargets } from "./model-rules.ts"
import type { MonitoredCluster } from "./monitored-cluster.ts"
import { sameKeys, tripsGuard, Violation } from "./watch-invariants.ts"
import { OWN_NAMESPACE, type Source, type World } from "./world.ts"

/** Invariant 1: once quiet, record and targets are what a rebuild at the goal would give, or it says why not. */
export async function checkQuiet(world: World, cluster: MonitoredCluster, source: Source): Promise<void> {
  const configMap = await cluster.direct.get(OWN_NAMESPACE, source)
  if (configMap === undefined) throw new Violation(`1: ${cluster.name} has no record of ${source}`)
  const record = readRecord(configMap)
  const aim = goal(world.repositories[source].tip(), record.hold, world.now)
  if (record.stopped === null && record.commit !== aim) {
    throw new Violation(`1: ${cluster.name} is at ${record.commit} instead of ${aim} and does not say why`)
  }
  if (record.stopped) checkReason(world, cluster, source, record, aim)
  if (record.commit === null) return
  // What could not be ended stays listed. Two reasons count: rules that do not parse, and a rewind that the
  // guard stops because the approval it came with was given to another commit since.
  if (record.intents.length > 0) {
    const waiting = record.stopped?.code.startsWith("guard/") ? record.stopped.commit : undefined
    const planned = record.intents.some(
      ({ commit }) => commit !== waiting && rulesParse(world, cluster, source, commit),
    )
    if (planned) throw new Violation(`1: ${cluster.name} left an intent open`)
    return
  }
  await checkTargets(world, cluster, source, record, record.commit)
}

function checkReason(
  world: World,
  cluster: MonitoredCluster,
  source: Source,
  record: Record,
  aim: string,
): void {
  const repository = world.repositories[source]
  const { code, commit } = record.stopped ?? { code: "", commit: "" }
  if (commit !== aim) throw new Violation(`1: stopped at ${commit}, where the goal is ${aim}`)
  const reasons: { [code: string]: boolean } = {
    "rules/invalid": !rulesParse(world, cluster, source, aim),
    "git/diverged":
      (!world.allowForcePush || record.hold !== null) &&
      (record.commit === null || !repository.hasAncestor(aim, record.commit)),
    "guard/deleted-keys":
      record.commit === null || tripsGuard(world, cluster.name, source, record.commit, aim),
  }
  reasons["guard/deleted-config-maps"] = reasons["guard/deleted-keys"] ?? false
  if (!reasons[code]) throw new Violation(`1: stopped at ${aim} by ${code} without that reason`)
}

function rulesParse(world: World, cluster: MonitoredCluster, source: Source, commit: string): boolean {
  return expectedTargets(world.repositories[source].filesAt(commit), cluster.name) !== undefined
}

async function checkTargets(
  world: World,
  cluster: MonitoredCluster,
  source: Source,
  record: Record,
  commit: string,
): Promise<void> {
  const failed = new Map(record.failed.map(({ target, reason }) => [target, reason]))
  const expected = expectedTargets(world.repositories[source].filesAt(commit), cluster.name) ?? []
  for (const [place, target] of expected) {
    if (!target.view) continue
    const [namespace = "", name = ""] = place.split("/")
    const found = await cluster.direct.get(namespace, name)
    const wrong = wrongWith(found, target, failed.get(place), world.lost)
    if (wrong)
      throw new Violation(`${wrong}: ${cluster.name}/${place} at ${commit}: ${JSON.stringify(found)}`)
  }
}

/** What is wrong with a target, starting with the invariant; undefined when nothing is. */
function wrongWith(
  found: ConfigMap | undefined,
  target: ExpectedTarget,
  failed: string | undefined,
  lost: boolean,
): string | undefined {
  if (found && !isOurs(found)) return failed ? undefined : "7, somebody else's and not listed"
  // A worker that slept through the life of a record, and then made a new one for an older commit, finds
  // targets ahead of it. It says so and waits for a rewind, which is all that it can know.
  if (lost && failed?.includes("a larger token")) return undefined
  if (failed) return `1, listed as failed for no reason (${failed})`
  return holds(found, target) ? undefined : "1, not what the commit gives"
}

function holds(found: ConfigMap | undefined, target: ExpectedTarget): boolean {
  const values = found ? configMapBytes(found) : new Map<string, Buffer>()
  values.delete("VERSION")
  const contents = [...values].map(([key, value]) => [key, unzipped(value)] as const)
  return sameKeys(target.keys, new Map(contents))
}

function unzipped(value: Buffer): string {
  return (value[0] === 0x1f && value[1] === 0x8b ? gunzipSync(value) : value).toString()
}
