import { HeadraceError, hasCode } from "../../foundation/errors.ts"
import { runGit } from "../process/run-git.ts"
import { signatureFault, signerOf } from "./signature-fault.ts"
import { signatureKind } from "./signature-kind.ts"
import { openSignerKeyring, type SignerKeyFiles, type SignerKeys } from "./signer-keys.ts"

/** What a source demands of its commits. */
export interface VerifyOptions extends SignerKeyFiles {
  /** `tip`: the commit to be shown is signed; `every`: each one on the first-parent line since the one in force. */
  mode: "tip" | "every"
}

/** The repository that the commits are in. */
export interface VerifiedRepository {
  gitDir: string
  /** A commit object as it is stored; undefined: it is not there. */
  commitObject(commit: string, signal?: AbortSignal): Promise<Buffer | undefined>
  /** True when `ancestor` is `commit` or one of its ancestors. */
  contains(commit: string, ancestor: string, signal?: AbortSignal): Promise<boolean>
  /** `tip`, and its first parents back to the first that `since` contains: that one is left out. */
  firstParentLine(tip: string, since: string, signal?: AbortSignal): Promise<string[]>
}

/** Judges commits of one source by its `verify`. */
export interface CommitVerifier {
  /** Digest of the keys as they are now. Throws `verify/keys-unreadable`, `verify/program-missing`. */
  keys(signal?: AbortSignal): Promise<string>
  /** Judges going from `since` (null: from nothing, or from another history) to a commit. Throws `verify/…`, `git/…`. */
  judge(commit: string, since: string | null, signal?: AbortSignal): Promise<void>
  /** Judges one commit by itself, from scratch; who signed it. Throws `verify/…`, `git/…`. */
  signer(commit: string, signal?: AbortSignal): Promise<string>
  close(): Promise<void>
}

/** Commits known to be signed, by the keys' digest: what is kept at most. */
const MOST_KNOWN = 10_000
/** Commits of one call of git. */
const MOST_AT_ONCE = 50
const TIMEOUT = 120_000

/**
 * Opens the verifier of a source. Keys are read at each use, and so is what gives the repository: a mirror that was
 * damaged has another one afterwards.
 */
export function openCommitVerifier(
  repositoryNow: () => VerifiedRepository,
  options: VerifyOptions,
): CommitVerifier {
  const keyring = openSignerKeyring(options)
  const known = new Set<string>()

  async function demanded(commit: string, since: string | null, signal?: AbortSignal): Promise<string[]> {
    if (options.mode === "tip" || since === null) return [commit]
    const repository = repositoryNow()
    if (!(await repository.contains(commit, since, signal))) return [commit]
    return repository.firstParentLine(commit, since, signal)
  }

  function note(keys: SignerKeys, commits: readonly string[]): void {
    if (known.size > MOST_KNOWN) known.clear()
    for (const commit of commits) known.add(`${keys.digest} ${commit}`)
  }

  return {
    keys: async (signal) => (await keyring.current(signal)).digest,
    async judge(commit, since, signal) {
      const keys = await keyring.current(signal)
      const line = await demanded(commit, since, signal)
      const repository = repositoryNow()
      const fresh = line.filter((one) => !known.has(`${keys.digest} ${one}`))
      for (let at = 0; at < fresh.length; at += MOST_AT_ONCE) {
        const some = fresh.slice(at, at + MOST_AT_ONCE)
        if (!(await isVerified(repository, keys, some, signal))) {
          // The oldest first: it is the one to look at.
          for (const one of some.reverse()) await signerOfCommit(repository, options, keys, one, signal)
        }
        note(keys, some)
      }
    },
    async signer(commit, signal) {
      return signerOfCommit(repositoryNow(), options, await keyring.current(signal), commit, signal)
    },
    close: keyring.close,
  }
}

/** True when git verifies every one of them. */
async function isVerified(
  repository: VerifiedRepository,
  keys: SignerKeys,
  commits: readonly string[],
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { verified } = await verifyCommits(repository, keys, commits, signal)
  return verified
}

async function signerOfCommit(
  repository: VerifiedRepository,
  { allowedSigners, gpgKeys }: SignerKeyFiles,
  keys: SignerKeys,
  commit: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const content = await repository.commitObject(commit, signal)
  if (content === undefined)
    throw new HeadraceError("git/missing-object", `the repository has no commit ${commit}`)
  const kind = signatureKind(content)
  // Only the kinds of which keys are set: git itself would pass others to programs of theirs.
  const isAllowed =
    (kind === "ssh" && allowedSigners !== undefined) || (kind === "gpg" && gpgKeys !== undefined)
  const { verified, said } = isAllowed
    ? await verifyCommits(repository, keys, [commit], signal)
    : { verified: false, said: "" }
  if (!verified) throw signatureFault({ commit, kind, said, allowedSigners, gpgKeys })
  return signerOf(said)
}

/** git-verify-commit(1): exit code 0 only where every signature is good, and by a key that is trusted. */
async function verifyCommits(
  repository: VerifiedRepository,
  keys: SignerKeys,
  commits: readonly string[],
  signal: AbortSignal | undefined,
): Promise<{ verified: boolean; said: string }> {
  try {
    const { code, stderr } = await runGit({
      gitDir: repository.gitDir,
      args: ["verify-commit", "--raw", "--end-of-options", ...commits],
      env: keys.env,
      signal,
      timeout: TIMEOUT,
      answers: [1],
    })
    return { verified: code === 0, said: stderr }
  } catch (error) {
    if (!hasCode(error, "git/failed")) throw error
    return { verified: false, said: error.message }
  }
}
