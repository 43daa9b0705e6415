import { HeadraceError } from "@headrace/shared/foundation/errors"
import { problemText } from "@headrace/shared/foundation/problem"
import type { SourceRepository } from "@headrace/shared/git/source-repository"
import { parseRules } from "@headrace/shared/rules/parse-rules"
import { DEFAULTS } from "./local-settings.ts"

/** The clusters that the rules at the branch's tip name, in name order. Throws when they do not parse. */
export async function rulesClusters(repository: SourceRepository, rulesPath: string): Promise<string[]> {
  const tip = await repository.fetch()
  const text = await repository.file(tip.commit, rulesPath)
  if (text === undefined) {
    throw new HeadraceError("local/no-rules", `there is no ${rulesPath} at ${tip.commit.slice(0, 12)}`, {
      hint: "give --rules the path of the rules inside the repository",
    })
  }
  const { rules, problems } = parseRules(text.toString("utf8"), rulesPath)
  if (!rules) {
    throw new HeadraceError(
      "local/bad-rules",
      `the rules do not parse:\n${problems.map(problemText).join("\n")}`,
    )
  }
  const names = rules.rules.flatMap((rule) => rule.places.map((place) => place.cluster || DEFAULTS.cluster))
  return [...new Set(names)].sort()
}
