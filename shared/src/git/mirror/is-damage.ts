import { hasCode } from "../../foundation/errors.ts"
import { runGit } from "../process/run-git.ts"
import { TIP } from "./fetch-ref.ts"

const TIMEOUT = 600_000

/**
 * True when a failed read means that the mirror at `place` is damaged. A missing object alone does not, since
 * it may never have been here: it does when the tip lacks one of its own.
 */
export async function isDamage(error: unknown, place: string, signal?: AbortSignal): Promise<boolean> {
  if (hasCode(error, "git/damaged") || hasCode(error, "git/reader-died")) return true
  if (!hasCode(error, "git/missing-object")) return false
  const args = ["rev-list", "--objects", "--quiet", TIP, "--"]
  const walk = runGit({ gitDir: place, args, signal, timeout: TIMEOUT })
  return walk.then(
    () => false,
    (fault: unknown) => hasCode(fault, "git/damaged"),
  )
}
