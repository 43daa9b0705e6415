import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import type { RecordSettings, SourceRecord } from "@headrace/shared/record/record"
import { RECORD_SELECTOR } from "@headrace/shared/record/record-config-map"
import { compareTokens, tokenText } from "@headrace/shared/record/token"
import { inForceOf, judge, noteBegun, noteCommit, noteHold } from "./in-force.ts"
import { OWN_NAMESPACE, type Source } from "./model-sources.ts"
import type { MonitoredCluster, Write } from "./monitored-cluster.ts"
import { recordOf } from "./record-of.ts"
import type { Simulation } from "./simulation.ts"
import { Violation } from "./violation.ts"
import { assembleWhole, type KnownRevisions, noRevisions, watchRevisions } from "./watch-store.ts"
import { refuseStrangersEpoch, watchTarget } from "./watch-targets.ts"

/** Looks at every write as it happens. */
export function invariantWatcher(simulation: () => Simulation) {
  const known = noRevisions()
  return async (cluster: MonitoredCluster, write: Write) => {
    const { namespace, labels } = (write.after ?? write.before)?.metadata ?? { namespace: "" }
    if (namespace !== OWN_NAMESPACE) await watchTarget(simulation(), cluster, namespace, write)
    else if (labels?.["app.kubernetes.io/component"] !== "record") {
      if (write.after === undefined) await watchAllRevisions(simulation(), cluster, known)
    } else if (write.after) {
      noteBegun(simulation(), cluster.name, recordOf(write.after), write)
      await watchSwap(simulation(), cluster, write.before, write.after, known)
    } else if (write.by !== "operator") throw new Violation("6: the record was removed")
  }
}

async function watchSwap(
  simulation: Simulation,
  cluster: MonitoredCluster,
  before: ConfigMap | undefined,
  after: ConfigMap,
  known: KnownRevisions,
): Promise<void> {
  const record = recordOf(after)
  watchTokens(simulation, record)
  if (before) {
    const was = recordOf(before)
    watchRecord(simulation, cluster, was, record)
    await noteSwap(simulation, cluster, was, record)
  }
  await watchRevisions(simulation, cluster, record, known)
}

async function noteSwap(
  simulation: Simulation,
  cluster: MonitoredCluster,
  before: SourceRecord,
  after: SourceRecord,
): Promise<void> {
  const { source, commit, root } = after
  const isLost = before.commit === null && cluster.isCollected
  const isPartial = isLost || cluster.bad.wereForbidden.size > 0
  const isStored = (isPartial || before.commit === null) && commit !== null && root !== null
  const stored = isStored ? await assembleWhole(cluster, source, { commit, root }) : undefined
  noteHold(simulation, cluster.name, { before, after })
  noteCommit(simulation, cluster.name, { before, after, stored, isPartial })
}

/** A part of the store was removed: all that any record lists must be there still. */
async function watchAllRevisions(
  simulation: Simulation,
  cluster: MonitoredCluster,
  { revisions }: KnownRevisions,
): Promise<void> {
  const { items } = await cluster.direct.list(OWN_NAMESPACE, { labelSelector: RECORD_SELECTOR })
  const again = { revisions, compared: new Set<string>() }
  for (const item of items) await watchRevisions(simulation, cluster, recordOf(item), again)
}

/** Each seq is the count of all ancestors, whatever their dates; each epoch is of our own. */
function watchTokens(simulation: Simulation, record: SourceRecord): void {
  const { source, commit, rulesCommit, token, intents } = record
  const shown = commit === null ? [] : [{ commit, rulesCommit, token }]
  for (const one of [...shown, ...intents]) {
    refuseStrangersEpoch(simulation, `the record of ${source}`, one.token.epoch)
    const own = simulation.repositories[source as Source].countOf(one.commit)
    const ofRules = one.rulesCommit ? simulation.rules[source as Source].countOf(one.rulesCommit) : 0
    if (one.token.seq !== own + ofRules)
      throw new Violation(`6a: ${one.commit} has the seq ${one.token.seq}, and ${own + ofRules} ancestors`)
  }
}

function watchRecord(
  simulation: Simulation,
  cluster: MonitoredCluster,
  before: SourceRecord,
  after: SourceRecord,
): void {
  const order = compareTokens(after.token, before.token)
  if (order < 0) throw new Violation(`2: the record went back to ${tokenText(after.token)}`)
  watchSettings(before.settings, after.settings)
  if (before.commit !== null) watchGuard(simulation, cluster, before, after)
  if (isSameRevision(after, before) || before.commit === null || after.commit === null) return
  if (order === 0) throw new Violation(`2: two commits have the token ${tokenText(after.token)}`)
}

/** Settings of a smaller version write nothing any more, and of two contents of one version neither does. */
function watchSettings(before: RecordSettings | null, after: RecordSettings | null): void {
  if (before === null) return
  if (after === null || after.version < before.version)
    throw new Violation(`9: settings ${after?.version} were followed after settings ${before.version}`)
  if (after.version === before.version && after.digest !== before.digest)
    throw new Violation(`9: two settings of version ${after.version} were followed`)
}

/** What deletes beyond the guard must not even be begun without approval; what an operator rewinds to is approved. */
function watchGuard(
  simulation: Simulation,
  cluster: MonitoredCluster,
  before: SourceRecord,
  after: SourceRecord,
): void {
  if (!isJudgedHere(simulation, cluster, before, after)) return
  const isMoved = after.commit !== null && !isSameContent(before, after)
  const next = isMoved ? [{ ...after, commit: after.commit ?? "" }] : []
  for (const { commit, rulesCommit, token } of [...next, ...after.intents]) {
    const isBegun = before.intents.some((was) => was.commit === commit && was.rulesCommit === rulesCommit)
    const rewound = after.hold?.commit === commit && token.epoch > before.token.epoch
    if (isBegun || rewound || before.approved?.commit === commit) continue
    const to = { commit, rulesCommit, settings: after.settings }
    if (judge(simulation, cluster.name, after.source, to, unreadIn(cluster, after)).certain) {
      throw new Violation(`6: ${commit} deletes beyond the guard`)
    }
  }
}

/** What may not be read keeps what it holds, and is judged when it is written. */
function unreadIn({ bad }: MonitoredCluster, { failed }: SourceRecord): (place: string) => boolean {
  const listed = new Set(failed.flatMap(({ target, unread }) => (unread ? target : [])))
  return (place) => listed.has(place) || bad.forbidden.has(place.split("/")[0] ?? "")
}

/**
 * False where the guard goes by what targets hold, and the model cannot say what that is: the settings have changed while
 * work was under way, or strangers, restores and answers from the past have had their part. A key that a hand has put there is
 * not held: it is none of ours.
 */
function isJudgedHere(
  simulation: Simulation,
  cluster: MonitoredCluster,
  before: SourceRecord,
  after: SourceRecord,
): boolean {
  if (simulation.isDoubtful) return false
  const { settings } = inForceOf(simulation, cluster.name, after.source)
  if (settings === (after.settings?.digest ?? null)) return true
  return before.intents.length === 0 && cluster.bad.forbidden.size === 0
}

/** A stop changes neither, whatever it says. */
function isSameContent(a: SourceRecord, b: SourceRecord): boolean {
  return isSameRevision(a, b) && a.rules === b.rules && a.root === b.root
}

function isSameRevision(a: SourceRecord, b: SourceRecord): boolean {
  return a.commit === b.commit && a.rulesCommit === b.rulesCommit
}
