import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import { MOST_AHEAD_MS } from "@headrace/shared/reconcile/target/known-token"
import { isOurs, readStamp, SOURCE_LABEL, type Stamp } from "@headrace/shared/reconcile/target/ownership"
import { largestToken } from "@headrace/shared/record/intents"
import { compareTokens, tokenText } from "@headrace/shared/record/token"
import { inForceOf } from "./in-force.ts"
import { ruledFiles } from "./model-revision.ts"
import { type ExpectedTarget, expectedTargets, NAMESPACES } from "./model-rules.ts"
import type { ModelSettings } from "./model-settings.ts"
import { OWN_NAMESPACE, type Source } from "./model-sources.ts"
import type { MonitoredCluster, Write } from "./monitored-cluster.ts"
import { watchOthersMarks } from "./others-marks.ts"
import { recordOf } from "./record-of.ts"
import type { Simulation } from "./simulation.ts"
import { Violation } from "./violation.ts"

/** An epoch is of a clock of ours, or one more for each word of an operator and each change of settings. */
const MOST_EPOCHS = 1000

/** Looks at the write of a named ConfigMap. */
export async function watchTarget(
  simulation: Simulation,
  cluster: MonitoredCluster,
  namespace: string,
  write: Write,
): Promise<void> {
  const { by, before, after } = write
  const place = `${namespace}/${(after ?? before)?.metadata.name}`
  if (!NAMESPACES.some((known) => known === namespace)) throw new Violation(`8: ${place} was written`)
  if (before && after && by !== "operator" && cluster.bad.terminating.has(place))
    throw new Violation(`11: ${place} is being deleted and was written`)
  if (after === undefined) return watchRemoval(simulation, cluster, place, write)
  if (before) watchOthersMarks(place, before, after)
  if (by === "operator" && before) return watchOperator(place, before, after)
  await watchContent(simulation, cluster, place, before, after)
  watchStamp(simulation, cluster, place, write, readStamp(after))
}

async function watchContent(
  simulation: Simulation,
  cluster: MonitoredCluster,
  place: string,
  before: ConfigMap | undefined,
  after: ConfigMap,
): Promise<void> {
  if (before && !isOurs(before) && !cluster.strange.has(place))
    throw new Violation(`7: ${place} is another owner's and was written`)
  const was = before && readStamp(before)
  const is = readStamp(after)
  if (is === undefined) throw new Violation(`2: ${place} was written without a token`)
  // A stamp that is not of ours refuses nobody.
  if (!was || cluster.strange.has(place) || compareTokens(is.token, was.token) >= 0) return
  if (await isUnproven(simulation, cluster, was)) return
  throw new Violation(`2: ${place} went back from ${tokenText(was.token)} to ${tokenText(is.token)}`)
}

/**
 * True of a stamp that only a lost record could prove, and whose epoch lies further ahead than is believed without one: a
 * clock that was ahead when a record was made does not outlast that record (docs/decisions/036, 037).
 */
async function isUnproven(
  { now }: Simulation,
  cluster: MonitoredCluster,
  { source, token }: Stamp,
): Promise<boolean> {
  if (token.epoch <= now + MOST_AHEAD_MS) return false
  const configMap = await cluster.direct.get(OWN_NAMESPACE, source)
  return configMap === undefined || compareTokens(token, largestToken(recordOf(configMap))) > 0
}

function watchStamp(
  simulation: Simulation,
  cluster: MonitoredCluster,
  place: string,
  { settings }: Write,
  stamp: Stamp | undefined,
): void {
  if (stamp === undefined) return
  refuseStrangersEpoch(simulation, place, stamp.token.epoch)
  const expected = expectedOf(simulation, cluster.name, stamp, settings)?.get(place)
  if (expected?.refused) throw new Violation(`4: ${place} is not known at ${stamp.commit} and was written`)
}

/** No epoch that a stranger has made up comes into a record or onto a target of ours. */
export function refuseStrangersEpoch({ latest }: Simulation, what: string, epoch: number): void {
  if (epoch <= latest + MOST_EPOCHS) return
  throw new Violation(`7: ${what} has the epoch ${epoch}, which no clock of ours has shown`)
}

/** `adopt` and `detach` change whose a target is, never what it holds; only `detach` takes a token away. */
function watchOperator(place: string, before: ConfigMap, after: ConfigMap): void {
  const held = [before, after].map(({ data, binaryData }) => JSON.stringify([data, binaryData]))
  if (held[0] !== held[1]) throw new Violation(`6: an operator's command changed what ${place} holds`)
  const adopted = after.metadata.labels?.[SOURCE_LABEL]
  const stamp = readStamp(before)
  if (adopted !== undefined && stamp?.source === adopted && readStamp(after) === undefined) {
    throw new Violation(`2: ${place} lost its token to its own source`)
  }
}

/** Only `--prune` removes a target: one that nothing in force or under way names. */
async function watchRemoval(
  simulation: Simulation,
  cluster: MonitoredCluster,
  place: string,
  { by, before }: Write,
): Promise<void> {
  if (by !== "prune") throw new Violation(`6: ${place} was removed`)
  const stamp = before && readStamp(before)
  if (stamp === undefined) throw new Violation(`7: ${place} is not of ours and was removed`)
  const configMap = await cluster.direct.get(OWN_NAMESPACE, stamp.source)
  const record = configMap && recordOf(configMap)
  if (!record?.commit) throw new Violation(`6: ${place} was removed while nothing is in force`)
  const inForce = inForceOf(simulation, cluster.name, record.source)
  const settings = simulation.settings.byDigest(record.source, inForce.settings)
  const shown = { ...record, commit: record.commit }
  if (isNamed(expectedOf(simulation, cluster.name, shown, settings)?.get(place)))
    throw new Violation(`6: ${place} was removed though what is in force names it`)
  const next = simulation.settings.of(record.source, record)
  for (const intent of record.intents) {
    const isWritten = compareTokens(stamp.token, intent.token) >= 0
    const isMeant = isNamed(
      expectedOf(simulation, cluster.name, { ...intent, source: record.source }, next)?.get(place),
    )
    if (isWritten && isMeant) throw new Violation(`6: ${place} was removed though work under way names it`)
  }
}

function isNamed(target: ExpectedTarget | undefined): boolean {
  return target !== undefined && (target.view || target.refused)
}

function expectedOf(
  simulation: Simulation,
  cluster: string,
  revision: { source: string; commit: string; rulesCommit?: string | null | undefined },
  settings: ModelSettings,
) {
  const { source, commit, rulesCommit = null } = revision
  return expectedTargets(ruledFiles(simulation, source as Source, { commit, rulesCommit }, settings), cluster)
}
