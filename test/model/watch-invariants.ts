import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import type { SourceRevision } from "@headrace/shared/reconcile/run/revision"
import { isOurs, readStamp, SOURCE_LABEL } from "@headrace/shared/reconcile/target/ownership"
import type { SourceRecord } from "@headrace/shared/record/record"
import { RECORD_SELECTOR, readRecord } from "@headrace/shared/record/record-config-map"
import { compareTokens, tokenText } from "@headrace/shared/record/token"
import { ruledFiles } from "./model-revision.ts"
import { expectedTargets, NAMESPACES } from "./model-rules.ts"
import type { MonitoredCluster, Write } from "./monitored-cluster.ts"
import { GUARD, OWN_NAMESPACE, type Simulation, type Source } from "./simulation.ts"
import { assemble } from "./store-view.ts"

/** What a write broke: the number of the invariant (docs/architecture.md#invariants) and what happened. */
export class Violation extends Error {}

/** Looks at every write as it happens. */
export function invariantWatcher(simulation: () => Simulation) {
  const known: KnownRevisions = { rules: new Map(), compared: new Set() }
  return async (cluster: MonitoredCluster, write: Write) => {
    const { namespace, labels } = (write.after ?? write.before)?.metadata ?? { namespace: "" }
    if (namespace !== OWN_NAMESPACE) watchTarget(namespace, write)
    else if (labels?.["app.kubernetes.io/component"] !== "record") {
      if (write.after === undefined) await watchAllRevisions(simulation(), cluster, known)
    } else if (write.after) await watchSwap(simulation(), cluster, write.before, write.after, known)
    else if (write.by !== "operator") throw new Violation("6: the record was removed")
  }
}

async function watchSwap(
  simulation: Simulation,
  cluster: MonitoredCluster,
  before: ConfigMap | undefined,
  after: ConfigMap,
  known: KnownRevisions,
): Promise<void> {
  const record = readRecord(after)
  if (before) watchRecord(simulation, cluster, readRecord(before), record)
  await watchRevisions(simulation, cluster, record, known)
}

/** A part of the store was removed: all that any record lists must be there still. */
async function watchAllRevisions(
  simulation: Simulation,
  cluster: MonitoredCluster,
  { rules }: KnownRevisions,
): Promise<void> {
  const { items } = await cluster.direct.list(OWN_NAMESPACE, { labelSelector: RECORD_SELECTOR })
  const anew = { rules, compared: new Set<string>() }
  for (const item of items) await watchRevisions(simulation, cluster, readRecord(item), anew)
}

function watchTarget(namespace: string, write: Write): void {
  const { by, before, after } = write
  const place = `${namespace}/${(after ?? before)?.metadata.name}`
  if (!NAMESPACES.some((known) => known === namespace)) throw new Violation(`8: ${place} was written`)
  if (after === undefined) throw new Violation(`6: ${place} was removed`)
  if (by === "operator" && before) watchOperator(place, before, after)
  else watchContent(place, before, after)
}

function watchContent(place: string, before: ConfigMap | undefined, after: ConfigMap): void {
  if (before && !isOurs(before)) throw new Violation(`7: ${place} is another owner's and was written`)
  const was = before && readStamp(before)
  const is = readStamp(after)
  if (is === undefined) throw new Violation(`2: ${place} was written without a token`)
  if (was && compareTokens(is.token, was.token) < 0) {
    throw new Violation(`2: ${place} went back from ${tokenText(was.token)} to ${tokenText(is.token)}`)
  }
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

function watchRecord(
  simulation: Simulation,
  cluster: MonitoredCluster,
  before: SourceRecord,
  after: SourceRecord,
): void {
  const order = compareTokens(after.token, before.token)
  if (order < 0) throw new Violation(`2: the record went back to ${tokenText(after.token)}`)
  if (before.commit !== null)
    watchGuard(simulation, cluster.name, before, { ...before, commit: before.commit }, after)
  if (isSameRevision(after, before) || before.commit === null || after.commit === null) return
  if (order === 0) throw new Violation(`2: two commits have the token ${tokenText(after.token)}`)
}

/** What deletes beyond the guard must not even be begun without approval; what an operator rewinds to is approved. */
function watchGuard(
  simulation: Simulation,
  cluster: string,
  before: SourceRecord,
  shown: SourceRevision,
  after: SourceRecord,
): void {
  const next = after.commit === null ? [] : [{ ...after, commit: after.commit }]
  for (const { commit, rulesCommit, token } of [...next, ...after.intents]) {
    const known = [before, ...before.intents].some(
      (was) => was.commit === commit && was.rulesCommit === rulesCommit,
    )
    const rewound = after.hold?.commit === commit && token.epoch > before.token.epoch
    if (known || rewound || before.approved?.commit === commit) continue
    if (tripsGuard(simulation, cluster, after.source as Source, shown, { commit, rulesCommit })) {
      throw new Violation(`6: ${commit} deletes beyond the guard`)
    }
  }
}

function isSameRevision(a: SourceRecord, b: SourceRecord): boolean {
  return a.commit === b.commit && a.rulesCommit === b.rulesCommit
}

/** The guard's rule (docs/decisions/011-the-guard-has-a-floor.md), from the model's own idea of what targets hold. */
export function tripsGuard(
  simulation: Simulation,
  cluster: string,
  source: Source,
  from: SourceRevision,
  to: SourceRevision,
): boolean {
  const before = expectedTargets(ruledFiles(simulation, source, from), cluster)
  const after = expectedTargets(ruledFiles(simulation, source, to), cluster)
  if (before === undefined || after === undefined) return false
  const filled = [...before].filter(([, target]) => target.keys.size > 0)
  const losses = filled.map(([place, { keys }]) => lossOf(keys, after.get(place)?.keys ?? new Map()))
  const held = losses.reduce((sum, { held }) => sum + held, 0)
  const deleted = losses.reduce((sum, { deleted }) => sum + deleted, 0)
  if (deleted > GUARD.atLeast && deleted > held * GUARD.deletedKeys) return true
  const several = deleted > GUARD.atLeast ? 1 : 3
  const lost = losses.filter((loss) => loss.isAll && loss.held >= several).length
  return lost > 0 && lost > filled.length * GUARD.deletedConfigMaps
}

/** A key counts as deleted whose content no new key of the target takes over, and one that has nothing in it any more. */
function lossOf(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>) {
  const fresh = [...after].filter(([key]) => !before.has(key)).map(([, content]) => content)
  let deleted = 0
  for (const [key, content] of before) {
    const next = after.get(key)
    const renamed = next === undefined ? fresh.indexOf(content) : -1
    if (renamed >= 0) fresh.splice(renamed, 1)
    else if (next === undefined || (next.trim() === "" && content.trim() !== "")) deleted += 1
  }
  const filled = [...after.values()].filter((content) => content.trim() !== "").length
  return { held: before.size, deleted, isAll: deleted === before.size && filled * 2 < before.size }
}

/** Which rules a revision was of, which its history entry does not say, and which have been compared. */
interface KnownRevisions {
  rules: Map<string, string | null>
  compared: Set<string>
}

/** A reader that starts from the record can assemble all it lists, and finds in it what git has. */
async function watchRevisions(
  simulation: Simulation,
  cluster: MonitoredCluster,
  record: SourceRecord,
  { rules, compared }: KnownRevisions,
): Promise<void> {
  if (record.root) rules.set(`${cluster.name} ${record.commit} ${record.root}`, record.rulesCommit)
  const listed = [{ commit: record.commit, root: record.root }, ...record.history]
  for (const { commit, root } of listed) {
    if (commit === null || root === null) continue
    const name = `${cluster.name} ${commit} ${root}`
    if (compared.has(name)) continue
    compared.add(name)
    const found = await assemble(cluster.direct, OWN_NAMESPACE, root).catch((error: unknown) => {
      throw new Violation(`store: ${record.source} at ${commit} cannot be assembled: ${String(error)}`)
    })
    const files = ruledFiles(simulation, record.source as Source, {
      commit,
      rulesCommit: rules.get(name) ?? null,
    })
    for (const [place, { keys }] of expectedTargets(files, cluster.name) ?? []) {
      const stored = found.get(place)
      if (stored && sameKeys(keys, stored)) continue
      throw new Violation(`3: the store's ${place} at ${commit} is not what git has`)
    }
  }
}

export function sameKeys(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([key, content]) => b.get(key) === content)
}
