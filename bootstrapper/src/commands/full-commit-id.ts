import { UsageError } from "@headrace/shared/foundation/errors"

/** The id as it is, when it is a full one: an abbreviation could mean another commit tomorrow. Throws UsageError. */
export function fullCommitId(commit: string): string {
  if (/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(commit)) return commit
  throw new UsageError("flag/commit-id", `${commit} is not a full commit id`, {
    hint: "Give all of it: git rev-parse COMMIT.",
  })
}
