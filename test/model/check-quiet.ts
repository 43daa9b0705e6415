import { gunzipSync } from "node:zlib"
import { type ConfigMap, configMapBytes } from "@headrace/shared/foundation/config-map"
import type { SourceRevision } from "@headrace/shared/reconcile/run/revision"
import { isOurs } from "@headrace/shared/reconcile/target/ownership"
import type { SourceRecord } from "@headrace/shared/record/record"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { goalOf, holdInForce, isFastForward, ruledFiles } from "./model-revision.ts"
import { type ExpectedTarget, expectedTargets } from "./model-rules.ts"
import type { MonitoredCluster } from "./monitored-cluster.ts"
import { OWN_NAMESPACE, type Simulation, type Source } from "./simulation.ts"
import { sameKeys, tripsGuard, Violation } from "./watch-invariants.ts"

/** Invariant 1: once quiet, record and targets are what a rebuild at the goal would give, or it says why not. */
export async function checkQuiet(
  simulation: Simulation,
  cluster: MonitoredCluster,
  source: Source,
): Promise<void> {
  const configMap = await cluster.direct.get(OWN_NAMESPACE, source)
  if (configMap === undefined) throw new Violation(`1: ${cluster.name} has no record of ${source}`)
  const record = readRecord(configMap)
  const aim = goalOf(simulation, source, record)
  const isThere = record.commit === aim.commit && record.rulesCommit === aim.rulesCommit
  if (record.stopped === null && !isThere) {
    throw new Violation(`1: ${cluster.name} is at ${record.commit} instead of ${aim.commit} and is silent`)
  }
  if (record.stopped) checkReason(simulation, cluster, source, record, aim)
  if (record.commit === null) return
  // What could not be ended stays listed, which is so only where its rules do not parse.
  if (record.intents.length > 0) {
    const planned = record.intents.some((intent) => rulesParse(simulation, cluster, source, intent))
    if (planned) throw new Violation(`1: ${cluster.name} left an intent open`)
    return
  }
  const { commit, rulesCommit } = record
  await checkTargets(simulation, cluster, source, record, { commit, rulesCommit })
}

function checkReason(
  simulation: Simulation,
  cluster: MonitoredCluster,
  source: Source,
  record: SourceRecord,
  aim: SourceRevision,
): void {
  const { code, commit } = record.stopped ?? { code: "", commit: "" }
  const shown = record.commit === null ? undefined : { ...record, commit: record.commit }
  if (commit !== aim.commit) throw new Violation(`1: stopped at ${commit}, where the goal is ${aim.commit}`)
  const mayFollow = simulation.allowForcePush && holdInForce(simulation, record) === undefined
  const begun = [...(shown ? [shown] : []), ...record.intents]
  const isBehind = begun.length === 0 || begun.some((was) => !isFastForward(simulation, source, was, aim))
  const reasons: { [code: string]: boolean } = {
    "rules/invalid": !rulesParse(simulation, cluster, source, aim),
    "git/diverged": !mayFollow && isBehind,
    "guard/deleted-keys": shown === undefined || tripsGuard(simulation, cluster.name, source, shown, aim),
  }
  reasons["guard/deleted-config-maps"] = reasons["guard/deleted-keys"] ?? false
  if (!reasons[code]) throw new Violation(`1: stopped at ${aim.commit} by ${code} without that reason`)
}

function rulesParse(
  simulation: Simulation,
  cluster: MonitoredCluster,
  source: Source,
  at: SourceRevision,
): boolean {
  return expectedTargets(ruledFiles(simulation, source, at), cluster.name) !== undefined
}

async function checkTargets(
  simulation: Simulation,
  cluster: MonitoredCluster,
  source: Source,
  record: SourceRecord,
  at: SourceRevision,
): Promise<void> {
  const failed = new Map(record.failed.map(({ target, reason }) => [target, reason]))
  const expected = expectedTargets(ruledFiles(simulation, source, at), cluster.name) ?? []
  for (const [place, target] of expected) {
    if (!target.view) continue
    const [namespace = "", name = ""] = place.split("/")
    const found = await cluster.direct.get(namespace, name)
    const wrong = wrongWith(found, target, failed.get(place))
    if (wrong)
      throw new Violation(`${wrong}: ${cluster.name}/${place} at ${at.commit}: ${JSON.stringify(found)}`)
  }
}

/** What is wrong with a target, starting with the invariant; undefined when nothing is. */
function wrongWith(
  found: ConfigMap | undefined,
  target: ExpectedTarget,
  failed: string | undefined,
): string | undefined {
  if (found && !isOurs(found)) return failed ? undefined : "7, another owner's and not listed"
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
