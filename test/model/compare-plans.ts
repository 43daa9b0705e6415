import { canonicalJson } from "@headrace/shared/foundation/canonical-json"
import { sha256 } from "@headrace/shared/foundation/digest"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import { wholePlanAt } from "@headrace/shared/reconcile/decide/plan-at"
import { createReconcileMemory, type ReconcileMemory } from "@headrace/shared/reconcile/run/memory"
import type { ReconcilePorts } from "@headrace/shared/reconcile/run/ports"
import type { SourceRevision } from "@headrace/shared/reconcile/run/revision"
import type { SourceRecord } from "@headrace/shared/record/record"
import { goalOf } from "./model-revision.ts"
import type { Source } from "./model-sources.ts"
import { NEVER, type Simulation } from "./simulation.ts"
import { Violation } from "./violation.ts"

/**
 * Compares the plans that a process has made from those that it remembers with what a process makes that remembers
 * nothing: of what the record shows after a run, and of its goal.
 */
export async function comparePlans(
  simulation: Simulation,
  source: Source,
  { memory, settings, ...ports }: ReconcilePorts,
  record: SourceRecord,
): Promise<void> {
  if (memory === undefined) return
  // Not through the gates of a worker: this is no read of its own.
  const sound = {
    ...ports,
    settings,
    repository: simulation.repositories[source],
    rulesRepository: simulation.rules[source],
  }
  const { commit, rulesCommit } = record
  const shown = commit === null ? [] : [{ commit, rulesCommit }]
  for (const revision of [...shown, goalOf(simulation, source, record)]) {
    const warm = await planDigest(sound, memory, revision)
    const known = canonicalJson({
      source,
      revision,
      settings: { ...settings, clusters: [...settings.clusters] },
    })
    const cold =
      simulation.coldPlans.get(known) ?? (await planDigest(sound, createReconcileMemory(), revision))
    simulation.coldPlans.set(known, cold)
    if (warm !== cold)
      throw new Violation(`12: a warm plan of ${source} at ${revision.commit} is not the cold one`)
    simulation.tally.count("plan: warm as cold")
  }
}

/** Names everything that a plan says; the code of the error where the rules are none. */
async function planDigest(
  ports: ReconcilePorts,
  memory: ReconcileMemory,
  revision: SourceRevision,
): Promise<string> {
  try {
    return sha256(canonicalJson(await wholePlanAt(ports, memory, revision, NEVER)))
  } catch (error) {
    if (error instanceof HeadraceError) return error.code
    throw error
  }
}
