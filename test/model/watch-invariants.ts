import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import { isOurs, readStamp } from "@headrace/shared/reconcile/ownership"
import type { Record } from "@headrace/shared/record/record"
import { RECORD_SELECTOR, readRecord } from "@headrace/shared/record/record-config-map"
import { compareTokens, tokenText } from "@headrace/shared/record/token"
import { expectedTargets, NAMESPACES } from "./model-rules.ts"
import type { MonitoredCluster } from "./monitored-cluster.ts"
import { assemble } from "./store-view.ts"
import { GUARD, OWN_NAMESPACE, type Source, type World } from "./world.ts"

/** What a write broke: the number of the invariant (design, section 3) and what happened. */
export class Violation extends Error {}

/** Looks at every write as it happens. `known` remembers which revisions have been compared already. */
export function invariantWatcher(world: () => World) {
  const compared = new Set<string>()
  return async (cluster: MonitoredCluster, before: ConfigMap | undefined, after: ConfigMap | undefined) => {
    const metadata = (after ?? before)?.metadata
    if (metadata === undefined) return
    if (metadata.namespace !== OWN_NAMESPACE) return watchTarget(metadata.namespace, before, after)
    const component = metadata.labels?.["app.kubernetes.io/component"]
    if (component === "record" && after) {
      watchRecord(world(), cluster, before && readRecord(before), readRecord(after))
      await watchRevisions(world(), cluster, readRecord(after), compared)
    } else if (component !== "record" && after === undefined) {
      const { items } = await cluster.direct.list(OWN_NAMESPACE, { labelSelector: RECORD_SELECTOR })
      for (const item of items) await watchRevisions(world(), cluster, readRecord(item), new Set())
    }
  }
}

function watchTarget(namespace: string, before: ConfigMap | undefined, after: ConfigMap | undefined): void {
  const place = `${namespace}/${(after ?? before)?.metadata.name}`
  if (!NAMESPACES.some((known) => known === namespace)) throw new Violation(`8: ${place} was written`)
  if (before && !isOurs(before)) throw new Violation(`7: ${place} is somebody else's and was written`)
  if (after === undefined) throw new Violation(`6: ${place} was removed`)
  const was = before && readStamp(before)
  const is = readStamp(after)
  if (is === undefined) throw new Violation(`2: ${place} was written without a token`)
  if (was && compareTokens(is.token, was.token) < 0) {
    throw new Violation(`2: ${place} went back from ${tokenText(was.token)} to ${tokenText(is.token)}`)
  }
}

function watchRecord(
  world: World,
  cluster: MonitoredCluster,
  before: Record | undefined,
  after: Record,
): void {
  if (before === undefined) return
  const order = compareTokens(after.token, before.token)
  if (order < 0) throw new Violation(`2: the record went back to ${tokenText(after.token)}`)
  if (after.commit === before.commit || before.commit === null || after.commit === null) return
  if (order === 0) throw new Violation(`2: two commits have the token ${tokenText(after.token)}`)
  if (before.approved === after.commit) return
  if (tripsGuard(world, cluster.name, after.source as Source, before.commit, after.commit)) {
    throw new Violation(`6: ${after.commit} deletes beyond the guard`)
  }
}

/** The guard's rule as design.md has it, from the model's own idea of what targets hold. */
export function tripsGuard(world: World, cluster: string, source: Source, from: string, to: string): boolean {
  const repository = world.repositories[source]
  const before = expectedTargets(repository.filesAt(from), cluster)
  const after = expectedTargets(repository.filesAt(to), cluster)
  if (before === undefined || after === undefined) return false
  const filled = [...before].filter(([, target]) => target.keys.size > 0)
  const keys = filled.flatMap(([place, { keys }]) => [...keys.keys()].map((key) => [place, key] as const))
  const deleted = keys.filter(([place, key]) => !after.get(place)?.keys.has(key)).length
  const emptied = filled.filter(([place]) => !after.get(place)?.keys.size).length
  if (deleted <= GUARD.atLeast) return false
  return deleted > keys.length * GUARD.deletedKeys || emptied > filled.length * GUARD.deletedConfigMaps
}

/** A reader that starts from the record can assemble all it lists, and finds in it what git has. */
async function watchRevisions(
  world: World,
  cluster: MonitoredCluster,
  record: Record,
  compared: Set<string>,
): Promise<void> {
  const listed = [{ commit: record.commit, root: record.root }, ...record.history]
  for (const { commit, root } of listed) {
    if (commit === null || root === null) continue
    const name = `${cluster.name} ${commit} ${root}`
    if (compared.has(name)) continue
    compared.add(name)
    const found = await assemble(cluster.direct, OWN_NAMESPACE, root).catch((error: unknown) => {
      throw new Violation(`store: ${record.source} at ${commit} cannot be assembled: ${String(error)}`)
    })
    const files = world.repositories[record.source as Source].filesAt(commit)
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
