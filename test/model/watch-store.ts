import type { SourceRecord } from "@headrace/shared/record/record"
import { inForceOf } from "./in-force.ts"
import type { HeldTargets } from "./model-guard.ts"
import { ruledFiles } from "./model-revision.ts"
import { expectedTargets } from "./model-rules.ts"
import { FIRST_SETTINGS, type ModelSettings } from "./model-settings.ts"
import { OWN_NAMESPACE, type Source } from "./model-sources.ts"
import type { MonitoredCluster } from "./monitored-cluster.ts"
import type { Simulation } from "./simulation.ts"
import { type Assembled, assemble, sameKeys } from "./store-view.ts"
import { Violation } from "./violation.ts"

/** What a revision was of, beside the commit that a record's history names. */
interface StoredRevision {
  rulesCommit: string | null
  settings: ModelSettings
  /** What targets held when it came into force: those that it refuses keep that. */
  held: HeldTargets
}

/** The revisions that records have shown, by cluster, commit and root, and those that have been compared. */
export interface KnownRevisions {
  revisions: Map<string, StoredRevision>
  compared: Set<string>
}

const FIRST: StoredRevision = { rulesCommit: null, settings: FIRST_SETTINGS, held: new Map() }

export function noRevisions(): KnownRevisions {
  return { revisions: new Map(), compared: new Set() }
}

/** A reader that starts from the record can assemble all it lists, and finds in it what git has. */
export async function watchRevisions(
  simulation: Simulation,
  cluster: MonitoredCluster,
  record: SourceRecord,
  { revisions, compared }: KnownRevisions,
): Promise<void> {
  const { source, rulesCommit } = record
  const shown = nameOf(cluster, record)
  if (record.root && !revisions.has(shown)) {
    const { held, settings: digest } = inForceOf(simulation, cluster.name, source)
    const settings = simulation.settings.byDigest(source, digest)
    revisions.set(shown, { rulesCommit, settings, held })
  }
  for (const listed of [record, ...record.history]) {
    const { commit, root } = listed
    const name = nameOf(cluster, listed)
    if (commit === null || root === null || compared.has(name)) continue
    compared.add(name)
    const found = await assembleWhole(cluster, source, { commit, root })
    compare(simulation, cluster, { source, commit, found }, revisions.get(name) ?? FIRST)
  }
}

/** What a reader finds that starts from a root. Throws a Violation when anything of it is missing. */
export async function assembleWhole(
  cluster: MonitoredCluster,
  source: string,
  { commit, root }: { commit: string; root: string },
): Promise<Assembled> {
  return assemble(cluster.direct, OWN_NAMESPACE, root).catch((error: unknown) => {
    throw new Violation(`store: ${source} at ${commit} cannot be assembled: ${String(error)}`)
  })
}

function nameOf({ name }: MonitoredCluster, { commit, root }: Pick<SourceRecord, "commit" | "root">): string {
  return `${name} ${commit} ${root}`
}

function compare(
  simulation: Simulation,
  cluster: MonitoredCluster,
  { source, commit, found }: { source: string; commit: string; found: Assembled },
  { rulesCommit, settings, held }: StoredRevision,
): void {
  const files = ruledFiles(simulation, source as Source, { commit, rulesCommit }, settings)
  for (const [place, { keys, refused }] of expectedTargets(files, cluster.name) ?? []) {
    const stored = found.get(place)
    // What could not be read when this came into force keeps what it held, too.
    const isRefused = refused || cluster.bad.wereForbidden.has(place.split("/")[0] ?? "")
    const wanted = isRefused ? held.get(place) : keys
    if (wanted === undefined || (stored && sameKeys(wanted, stored))) continue
    const [promise, what] = refused ? ["4", "what it held"] : ["3", "what git has"]
    throw new Violation(`${promise}: the store's ${place} at ${commit} is not ${what}`)
  }
}
