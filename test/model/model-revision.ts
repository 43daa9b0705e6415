import type { Revision } from "@headrace/shared/reconcile/run/revision"
import type { Hold, Record } from "@headrace/shared/record/record"
import { RULES_PATH, type RuledFiles } from "./model-rules.ts"
import type { Source, World } from "./world.ts"

/** What git has at a revision of a source. */
export function ruledFiles(world: World, source: Source, revision: Revision): RuledFiles {
  const files = world.repositories[source].filesAt(revision.commit)
  const rules = world.rules[source].filesAt(revision.rulesCommit ?? revision.commit).get(RULES_PATH) ?? ""
  return { files, rules }
}

/** The hold that an operator set and that has not come to its end. */
export function holdInForce(world: World, { hold }: Record): Hold | undefined {
  return hold !== null && (hold.until === null || Date.parse(hold.until) > world.now) ? hold : undefined
}

/** Where a source's record should be: what is held, else the tips of its branch and of its rules'. */
export function goalOf(world: World, source: Source, record: Record): Revision {
  const held = holdInForce(world, record)
  const ownRules = world.rules[source] === world.repositories[source]
  return {
    commit: held?.commit ?? world.repositories[source].tip(),
    rulesCommit: ownRules ? null : (held?.rulesCommit ?? world.rules[source].tip()),
  }
}

/** True when going from one revision to the other is a fast-forward of both branches. */
export function isFastForward(world: World, source: Source, from: Revision, to: Revision): boolean {
  if (!world.repositories[source].hasAncestor(to.commit, from.commit)) return false
  if (to.rulesCommit === null || from.rulesCommit === null) return true
  return world.rules[source].hasAncestor(to.rulesCommit, from.rulesCommit)
}
