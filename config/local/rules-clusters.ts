import { HeadraceError, hasCode, UsageError } from "@headrace/shared/foundation/errors"
import { escapeLine } from "@headrace/shared/foundation/escape-text"
import { problemText } from "@headrace/shared/foundation/problem"
import type { SourceRepository } from "@headrace/shared/git/source-repository"
import { parseRules } from "@headrace/shared/rules/parse-rules"
import { checkWords, commandText } from "@headrace/shared/status/suggest-command"
import { DEFAULTS } from "./local-settings.ts"
import { missingRulesHint } from "./preflight/check-rules.ts"

/** The clusters that the rules at the branch's tip name, in name order. Throws when they do not parse. */
export async function rulesClusters(
  repository: SourceRepository,
  { repo, branch, rules: rulesPath }: { repo: string; branch: string; rules: string },
): Promise<string[]> {
  const tip = await repository.fetch().catch((error: unknown) => {
    throw asMisuse(error)
  })
  const text = await repository.file(tip.commit, rulesPath)
  if (text === undefined) {
    throw new UsageError(
      "local/no-rules",
      `branch ${branch} has no ${rulesPath} (commit ${tip.commit.slice(0, 12)})`,
      {
        hint: missingRulesHint(repo, rulesPath),
      },
    )
  }
  const { rules, problems } = parseRules(text.toString("utf8"), rulesPath)
  if (!rules) {
    throw new UsageError(
      "local/bad-rules",
      [
        `${rulesPath} of branch ${branch} does not parse:`,
        ...problems.map((problem) => escapeLine(problemText(problem))),
      ].join("\n  "),
      {
        hint: [
          "Correct the rules and commit them; this names every mistake.",
          `→ ${commandText(["npm", "run", "-s", "bootstrapper", "--", ...checkWords(repo, rulesPath)])}`,
        ].join("\n  "),
      },
    )
  }
  const names = new Set(
    rules.rules.flatMap((rule) => rule.places.map((place) => place.cluster || DEFAULTS.cluster)),
  )
  for (const name of names) refuseUnplain(name, rulesPath)
  return [...names].sort()
}

/** What --repo and --branch name is not there: misused, as a wrong path of rules is. */
const MISUSES = ["git/repository-missing", "git/empty", "git/branch-missing"] as const

function asMisuse(error: unknown): unknown {
  if (!(error instanceof HeadraceError) || !MISUSES.some((code) => hasCode(error, code))) return error
  const { code, message, hint, fields, cause } = error
  return new UsageError(code, message, { ...(hint === undefined ? {} : { hint }), fields, cause })
}

/** A cluster's name becomes a folder and files here: rules must not lead it out of ours. */
function refuseUnplain(name: string, rulesPath: string): void {
  if (/^[A-Za-z0-9][-A-Za-z0-9_.]{0,99}$/.test(name)) return
  throw new UsageError("local/cluster-name", `${rulesPath} names a cluster ${JSON.stringify(name)}`, {
    hint: 'Name it with letters, digits, "-", "_" and ".", a letter or digit first.',
  })
}
