import { sha256 } from "@headrace/shared/foundation/digest"
import { errorText, HeadraceError } from "@headrace/shared/foundation/errors"
import type { SourceRepository } from "@headrace/shared/git/source-repository"
import type { GitFromSettings } from "@headrace/shared/settings/agent-sources"
import { gitFiles, type KnownBlobs } from "../assemble/git-files.ts"
import type { GitSnapshot } from "../assemble/inputs.ts"
import type { WatchPorts } from "./watch-ports.ts"

/** Names a git source: equal for equal settings, which then share a mirror. It holds no credentials. */
export function gitSourceId(git: GitFromSettings): string {
  const { auth: _, poll: __, ...rest } = git
  return `${git.branch} ${sha256(JSON.stringify(rest)).slice(0, 12)}`
}

/**
 * Gives each new commit of a branch, or the one commit that the settings name, with its selected files, until
 * the signal aborts. A fetch that fails is logged and tried again at the next poll; nothing else happens.
 */
export async function watchGit(
  repository: SourceRepository,
  git: GitFromSettings,
  ports: WatchPorts,
  onSnapshot: (snapshot: GitSnapshot) => void,
  signal: AbortSignal,
): Promise<void> {
  const known: KnownBlobs = new Map()
  let shown: string | undefined
  while (!signal.aborted) {
    try {
      const commit = await wantedCommit(repository, git, signal)
      if (commit.id !== shown) {
        const files = await gitFiles(repository, commit.id, git, known, signal)
        onSnapshot({ commit: commit.id, token: { epoch: 0, seq: commit.seq }, files })
        shown = commit.id
      }
    } catch (error) {
      if (signal.aborted) return
      ports.log.warn({ error: errorText(error), branch: git.branch }, "cannot follow the git source")
    }
    await ports.clock.sleep(git.poll * (0.75 + Math.random() / 2), signal).catch(() => undefined)
  }
}

async function wantedCommit(
  repository: SourceRepository,
  git: GitFromSettings,
  signal: AbortSignal,
): Promise<{ id: string; seq: number }> {
  const tip = await repository.fetch(signal)
  if (git.commit === undefined) return { id: tip.commit, seq: tip.seq }
  const seq = await repository.seqOf(git.commit, signal)
  if (seq !== undefined) return { id: git.commit, seq }
  throw new HeadraceError("projection/no-commit", `${git.branch} has no commit ${git.commit}`, {
    hint: "Name a commit of that branch.",
  })
}
