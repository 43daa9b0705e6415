import type { Problem } from "../foundation/problem.ts"
import type { Rule } from "./rule.ts"
import { type RuleContext, ruleWarning } from "./rule-context.ts"

/**
 * Whether a repository (`ORG/NAME`) may feed a rule: denied goes first, then the allow list, if there is one.
 * Entries are `ORG` or `ORG/NAME`, exact and case-sensitive, as in Prow. An unknown repository is on no list.
 */
export function isAllowed(
  rule: Pick<Rule, "allowedRepos" | "deniedRepos">,
  repo: string | undefined,
): boolean {
  if (isListed(rule.deniedRepos, repo)) return false
  return rule.allowedRepos.length === 0 || isListed(rule.allowedRepos, repo)
}

function isListed(entries: readonly string[], repo: string | undefined): boolean {
  if (!repo) return false
  const [org = ""] = repo.split("/")
  return entries.some((entry) => entry === repo || entry === org)
}

/** Entries that can never match: empty, without an organisation, or with more than one slash. */
export function accessListProblems(context: RuleContext): Problem[] {
  return (["allowed_repos", "denied_repos"] as const).flatMap((field) =>
    (context.spec[field] ?? []).flatMap((entry, index) => {
      if (/^[^/]+(\/[^/]+)?$/.test(entry)) return []
      const message = `"${entry}" in ${field} can never match a repository`
      return [ruleWarning(context, [field, index], "rules/wrong-repo", message, "Write ORG or ORG/NAME.")]
    }),
  )
}
