import type { SourceRevision } from "@headrace/shared/reconcile/run/revision"
import type { Hold, SourceRecord } from "@headrace/shared/record/record"
import { RULES_PATH, type RuledFiles } from "./model-rules.ts"
import type { ModelSettings } from "./model-settings.ts"
import type { Source } from "./model-sources.ts"
import type { Simulation } from "./simulation.ts"

/** What git has at a revision of a source, and what these settings make of it. */
export function ruledFiles(
  simulation: Simulation,
  source: Source,
  revision: SourceRevision,
  { namespaces, rulesPath }: Pick<ModelSettings, "namespaces" | "rulesPath">,
): RuledFiles {
  const repository = simulation.repositories[source]
  const path = source === "release" ? rulesPath : RULES_PATH
  const rules = simulation.rules[source].filesAt(revision.rulesCommit ?? revision.commit).get(path) ?? ""
  const { commit } = revision
  return { files: repository.filesAt(commit), broken: repository.brokenAt(commit), rules, namespaces }
}

/** The hold that an operator set and that has not come to its end. */
export function holdInForce(simulation: Simulation, { hold }: SourceRecord): Hold | undefined {
  return hold !== null && (hold.until === null || Date.parse(hold.until) > simulation.now) ? hold : undefined
}

/** Where a source's record should be: what is held, otherwise the tips of its branch and of its rules'. */
export function goalOf(simulation: Simulation, source: Source, record: SourceRecord): SourceRevision {
  const held = holdInForce(simulation, record)
  const ownRules = simulation.rules[source] === simulation.repositories[source]
  return {
    commit: held?.commit ?? simulation.repositories[source].tip(),
    rulesCommit: ownRules ? null : (held?.rulesCommit ?? simulation.rules[source].tip()),
  }
}

/** True when going from one revision to the other is a fast-forward of both branches. */
export function isFastForward(
  simulation: Simulation,
  source: Source,
  from: SourceRevision,
  to: SourceRevision,
): boolean {
  if (!simulation.repositories[source].hasAncestor(to.commit, from.commit)) return false
  if (to.rulesCommit === null || from.rulesCommit === null) return true
  return simulation.rules[source].hasAncestor(to.rulesCommit, from.rulesCommit)
}
