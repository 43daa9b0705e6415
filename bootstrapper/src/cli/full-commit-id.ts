import { UsageError } from "@headrace/shared/foundation/errors"
import { FULL_ID } from "@headrace/shared/foundation/object-id"

/** The id as it is, when it is a full one: an abbreviation could mean another commit tomorrow. Throws UsageError. */
export function fullCommitId(commit: string): string {
  if (FULL_ID.test(commit)) return commit
  throw new UsageError("flag/commit-id", `${commit} is not a full commit id`, {
    hint: "Give all of it: git rev-parse COMMIT.",
  })
}
