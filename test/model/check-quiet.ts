import { gunzipSync } from "node:zlib"
import { type ConfigMap, configMapBytes } from "@headrace/shared/foundation/config-map"
import type { SourceRevision } from "@headrace/shared/reconcile/run/revision"
import { isOurs, SOURCE_LABEL } from "@headrace/shared/reconcile/target/ownership"
import type { SourceRecord } from "@headrace/shared/record/record"
import { isBadPlace } from "./bad-places.ts"
import { inForceOf, isBegunUnderOthers, judge } from "./in-force.ts"
import { goalOf, holdInForce, isFastForward, ruledFiles } from "./model-revision.ts"
import { type ExpectedTarget, expectedTargets } from "./model-rules.ts"
import { OWN_NAMESPACE, type Source } from "./model-sources.ts"
import type { MonitoredCluster } from "./monitored-cluster.ts"
import { recordOf } from "./record-of.ts"
import type { Simulation } from "./simulation.ts"
import { sameKeys } from "./store-view.ts"
import { Violation } from "./violation.ts"

/** Invariant 1: once quiet, record and targets are what a rebuild at the goal would give, or it says why not. */
export async function checkQuiet(
  simulation: Simulation,
  cluster: MonitoredCluster,
  source: Source,
): Promise<void> {
  const configMap = await cluster.direct.get(OWN_NAMESPACE, source)
  if (configMap === undefined) throw new Violation(`1: ${cluster.name} has no record of ${source}`)
  const record = recordOf(configMap)
  const aim = goalOf(simulation, source, record)
  const isThere = record.commit === aim.commit && record.rulesCommit === aim.rulesCommit
  if (record.stopped === null && !isThere) {
    throw new Violation(`1: ${cluster.name} is at ${record.commit} instead of ${aim.commit} and is silent`)
  }
  if (record.stopped) checkReason(simulation, cluster, source, record, aim)
  if (record.commit === null) return
  // What could not be ended stays listed, which is so only where its rules do not parse.
  const { settings } = inForceOf(simulation, cluster.name, source)
  if (record.intents.length > 0) {
    if (mayStayOpen(simulation, cluster, source, record)) return
    const planned = record.intents.some((intent) =>
      rulesParse(simulation, cluster, source, { ...intent, settings: record.settings }),
    )
    if (planned) throw new Violation(`1: ${cluster.name} left an intent open`)
    return
  }
  // Last good is not known any more where the settings have changed: it stays as it is.
  if (record.stopped && settings !== (record.settings?.digest ?? null)) return
  const { commit, rulesCommit } = record
  await checkTargets(simulation, cluster, source, record, { commit, rulesCommit })
}

/**
 * True where what was begun is of other settings than are followed now: the guard need not let that pass, whatever stops the
 * source itself.
 */
function mayStayOpen(
  simulation: Simulation,
  cluster: MonitoredCluster,
  source: Source,
  record: SourceRecord,
): boolean {
  const { intents, settings, stopped } = record
  const begun = intents.at(-1)
  if (begun === undefined || stopped === null) return false
  if (!isBegunUnderOthers(simulation, cluster.name, record, begun)) return false
  return judge(simulation, cluster.name, source, { ...begun, settings }).possible
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
  const to = { ...aim, settings: record.settings }
  const reasons: { [code: string]: boolean } = {
    "rules/invalid": !rulesParse(simulation, cluster, source, to),
    "git/diverged": !mayFollow && isBehind,
    "guard/deleted-keys": shown === undefined || judge(simulation, cluster.name, source, to).possible,
  }
  reasons["guard/deleted-config-maps"] = reasons["guard/deleted-keys"] ?? false
  if (!reasons[code]) throw new Violation(`1: stopped at ${aim.commit} by ${code} without that reason`)
}

function rulesParse(
  simulation: Simulation,
  cluster: MonitoredCluster,
  source: Source,
  at: SourceRevision & Pick<SourceRecord, "settings">,
): boolean {
  const files = ruledFiles(simulation, source, at, simulation.settings.of(source, at))
  return expectedTargets(files, cluster.name) !== undefined
}

async function checkTargets(
  simulation: Simulation,
  cluster: MonitoredCluster,
  source: Source,
  record: SourceRecord,
  at: SourceRevision,
): Promise<void> {
  const { settings, held } = inForceOf(simulation, cluster.name, source)
  const files = ruledFiles(simulation, source, at, simulation.settings.byDigest(source, settings))
  for (const [place, target] of expectedTargets(files, cluster.name) ?? []) {
    const kept = held.get(place)
    // What could not be read may lose more than the guard lets pass: it waits for an operator.
    const waits = record.stopped !== null && kept !== undefined && !sameKeys(kept, target.keys)
    if (target.refused || waits) checkRefused(cluster, place, record)
    else if (kept && !sameKeys(kept, target.keys) && reasonOf(record, place, undefined) === undefined)
      throw new Violation(`3: the store's ${place} at ${at.commit} is not what git has`)
    else if (target.view && !isBadPlace(cluster.bad, place)) {
      const [namespace = "", name = ""] = place.split("/")
      const found = await cluster.direct.get(namespace, name)
      const isAnothers = isOfAnother(found, source)
      const wrong = wrongWith(found, target, { isAnothers, failed: reasonOf(record, place, found) })
      if (wrong)
        throw new Violation(`${wrong}: ${cluster.name}/${place} at ${at.commit}: ${JSON.stringify(found)}`)
    }
  }
}

/** Why a target is listed as failed; "ahead": it is, and its source must be released first. */
function reasonOf(record: SourceRecord, place: string, found: ConfigMap | undefined): string | undefined {
  const reason = record.failed.find(({ target }) => target === place)?.reason
  // A stopped source takes no larger token before an operator has spoken.
  if (record.stopped && reason?.startsWith("reconcile/ahead")) return "ahead"
  const isUnlisted = record.failedMore > 0 && found !== undefined && !isOurs(found)
  return reason ?? (isUnlisted ? "beyond the record's room" : undefined)
}

/** What is not known fails by name; that it keeps what it holds is seen at every write. */
function checkRefused(cluster: MonitoredCluster, place: string, record: SourceRecord): void {
  if (record.failedMore > 0 || record.failed.some(({ target }) => target === place)) return
  throw new Violation(`4: ${cluster.name}/${place} is not known, and not listed as failed`)
}

/** A webhook and a stranger may change one mark each: where neither names the source, nothing says that a target is its own. */
function isOfAnother(found: ConfigMap | undefined, source: Source): boolean {
  if (found === undefined) return false
  const { labels, annotations } = found.metadata
  const named = [labels?.[SOURCE_LABEL], annotations?.["headrace.dev/source"]].filter(
    (one) => one !== undefined,
  )
  return !isOurs(found) || (named.length > 0 && !named.includes(source))
}

/** What is wrong with a target, starting with the invariant; undefined when nothing is. */
function wrongWith(
  found: ConfigMap | undefined,
  target: ExpectedTarget,
  { isAnothers, failed }: { isAnothers: boolean; failed: string | undefined },
): string | undefined {
  if (isAnothers) return failed ? undefined : "7, another owner's and not listed"
  if (failed === "ahead") return undefined
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
