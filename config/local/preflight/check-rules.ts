import { existsSync, realpathSync, statSync } from "node:fs"
import { isAbsolute, join, relative, resolve } from "node:path"
import { UsageError } from "@headrace/shared/foundation/errors"

/**
 * The path of the rules inside the repository, for what a person gives as one: an absolute path of this machine, or one
 * from the working folder, is only a hint at it. Throws UsageError `local/rules-path` with the path to give.
 */
export function rulesPathInRepository(repo: string, rules: string): string {
  if (!isAbsolute(rules) && !rules.startsWith("../") && !rules.startsWith("./")) return rules
  const inside = pathInside(repo, resolve(rules))
  const message = `--rules ${rules} is no path inside of the repository`
  const hint =
    inside === undefined
      ? "Give the path of the rules as the repository has it, such as config/prow/plugins.yaml."
      : `Give the path inside of it: --rules ${inside}.`
  throw new UsageError("local/rules-path", message, { hint })
}

/** What to do about rules that the commit does not have; a repository on this machine may have them uncommitted. */
export function missingRulesHint(repo: string, rules: string): string {
  const place = join(repo, rules)
  if (isAbsolute(repo) && existsSync(place)) {
    if (statSync(place).isDirectory()) return `Give --rules a file: ${place} is a folder.`
    return `Commit it: ${place} exists, but is not in the branch (git add ${rules} && git commit).`
  }
  return "Give --rules the path of the rules inside the repository, or have them proposed: npm run -s bootstrapper -- init --source-path DIR."
}

function pathInside(repo: string, file: string): string | undefined {
  if (!isAbsolute(repo)) return undefined
  const inside = relative(real(repo), real(file))
  return inside === "" || inside.startsWith("..") ? undefined : inside
}

function real(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
