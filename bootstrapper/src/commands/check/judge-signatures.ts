import { type HeadraceError, hasCode, UsageError } from "@headrace/shared/foundation/errors"
import type { Problem } from "@headrace/shared/foundation/problem"
import { mergeBase } from "@headrace/shared/git/checkout/work-tree"
import { RepositoryReader } from "@headrace/shared/git/objects/repository-reader"
import type { FolderInCheckout } from "@headrace/shared/git/read-folder-tree"
import { openCommitVerifier } from "@headrace/shared/git/verify/commit-verifier"

/** Whose signatures a pull request needs. */
export interface SignatureFlags {
  allowedSigners?: string
  gpgKeys?: string
  base?: string
}

/**
 * What a source with `verify` would say of what is checked out: of its last commit, and with a base of each one on the
 * first-parent line since the merge base. Nothing without keys. Throws UsageError `git/not-a-checkout`, and `git/…`.
 */
export async function signatureProblems(
  checkout: FolderInCheckout | undefined,
  { allowedSigners, gpgKeys, base }: SignatureFlags,
  signal: AbortSignal,
): Promise<Problem[]> {
  if (allowedSigners === undefined && gpgKeys === undefined) return []
  if (checkout === undefined) {
    throw new UsageError(
      "git/not-a-checkout",
      "signatures are of commits, and the folder is in no checkout",
      {
        hint: "Give a folder of a clone, or leave out --allowed-signers and --gpg-keys.",
      },
    )
  }
  const { repository } = checkout.workTree
  const reader = new RepositoryReader(repository.gitDir, repository)
  const mode = base === undefined ? "tip" : "every"
  const verifier = openCommitVerifier(() => reader, { mode, allowedSigners, gpgKeys })
  try {
    const since = base === undefined ? null : await mergeBase(repository, base, signal)
    await verifier.judge(await reader.commitAt("HEAD", signal), since, signal)
    return []
  } catch (error) {
    if (!hasCode(error, "verify/")) throw error
    return [problemOf(error)]
  } finally {
    reader.close()
    await verifier.close()
  }
}

function problemOf({ code, message }: HeadraceError): Problem {
  return {
    severity: "error",
    code,
    message,
    hint: "Sign it, unless the forge signs what it merges: a source with verify stops at it.",
  }
}
