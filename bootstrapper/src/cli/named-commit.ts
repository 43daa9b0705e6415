import { HeadraceError, UsageError } from "@headrace/shared/foundation/errors"
import { FULL_ID } from "@headrace/shared/foundation/object-id"
import type { SourceRepository } from "@headrace/shared/git/source-repository"

/** Enough digits for a person to distinguish two commits by. */
const SHOWN_DIGITS = 12
const MOST_SHOWN = 3

/** What a person may give for a commit: its id, or its first digits. Throws UsageError `flag/commit-id`. */
export function commitDigits(text: string): string {
  if (/^[0-9a-f]{4,40}$/i.test(text) || FULL_ID.test(text)) return text.toLowerCase()
  throw new UsageError("flag/commit-id", `${JSON.stringify(text)} is not a commit id`, {
    hint: "Give its hexadecimal digits, 4 of them or more: git rev-parse COMMIT prints them.",
  })
}

/**
 * The full id of the commit that a person named by its first digits; a full one is given back as it is, whether the
 * repository has it or not. Throws UsageError `flag/commit-id` when several commits begin with
 * them, HeadraceError `git/unknown-commit` when none does: another source may have it.
 */
export async function namedCommit(
  repository: Pick<SourceRepository, "abbreviated">,
  text: string,
  signal: AbortSignal,
): Promise<string> {
  const digits = commitDigits(text)
  if (FULL_ID.test(digits)) return digits
  const commits = await repository.abbreviated(digits, signal)
  const [commit, second] = commits
  if (commit !== undefined && second === undefined) return commit
  const shown = commits.slice(0, MOST_SHOWN).map((one) => one.slice(0, SHOWN_DIGITS))
  if (commit === undefined) {
    throw new HeadraceError("git/unknown-commit", `no commit of the source begins with ${text}`, {
      hint: "Check the digits, and that the commit is on the followed branch.",
    })
  }
  throw new UsageError("flag/commit-id", `${commits.length} commits begin with ${text}`, {
    hint: `Give more digits: ${shown.join(", ")}${commits.length > MOST_SHOWN ? ", …" : ""}.`,
  })
}
