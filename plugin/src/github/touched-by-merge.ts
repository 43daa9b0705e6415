import type { SourceRepository } from "@headrace/shared/git/source-repository"
import { planTargets } from "@headrace/shared/plan/plan-targets"
import { type TouchedTarget, touchedKeys } from "@headrace/shared/plan/touched-keys"
import { planContextFromSettings } from "@headrace/shared/reconcile/decide/plan-at"
import type { ReconcileSettings } from "@headrace/shared/reconcile/run/ports"
import { parseRules } from "@headrace/shared/rules/parse-rules"

/**
 * Which keys of which targets the changed paths of a merge touch, as of the merge's commit. Rules that do not
 * parse touch nothing: the clusters' outcomes say what is wrong with them.
 */
export async function touchedByMerge(
  repository: SourceRepository,
  rulesRepository: SourceRepository,
  settings: Omit<ReconcileSettings, "store" | "guard" | "foreignKeys" | "allowForcePush">,
  sha: string,
  paths: readonly string[],
): Promise<TouchedTarget[]> {
  const rulesCommit = rulesRepository === repository ? sha : (await rulesRepository.fetch()).commit
  const text = await rulesRepository.file(rulesCommit, settings.rulesPath)
  const { rules } = parseRules(text?.toString("utf8") ?? "", settings.rulesPath, settings.bounds)
  if (rules === undefined) return []
  const context = planContextFromSettings(settings)
  const plan = planTargets(rules, await repository.tree(sha), context)
  return touchedKeys(rules, plan, paths, context)
}
