import { sha256 } from "@headrace/shared/foundation/digest"
import { errorText, HeadraceError, hasCode } from "@headrace/shared/foundation/errors"
import { type Problem, problemText } from "@headrace/shared/foundation/problem"
import type { SourceRepository } from "@headrace/shared/git/source-repository"
import { noteBreach } from "@headrace/shared/observe/bound-breaches"
import type { GitFromSettings } from "@headrace/shared/settings/agent-sources"
import { gitFiles, type KnownBlobs, selectProblems } from "../assemble/git-files.ts"
import type { GitSnapshot } from "../assemble/inputs.ts"
import { waitOrNewer } from "./follow-latest.ts"
import { createLatest } from "./latest.ts"
import type { WatchPorts } from "./watch-ports.ts"

/** Names a git source: equal for equal settings, which then share a mirror. It holds no credentials. */
export function gitSourceId(git: GitFromSettings): string {
  const { auth: _, poll: __, allowForcePush: ___, allowPlaintext: ____, fsckIgnore: _____, ...selected } = git
  const { unknownContent, ...whole } = selected
  // What is the default does not change the id, so that mirrors of earlier versions stay in use.
  const rest = unknownContent === "refuse" ? whole : selected
  const follows = git.branch ?? git.tag ?? git.commit?.slice(0, 12)
  return `${follows} ${sha256(JSON.stringify(rest)).slice(0, 12)}`
}

/** Names the history that a git source follows; which files it selects does not matter. It holds no credentials. */
export function gitHistory({ url, branch, tag, commit }: GitFromSettings): string {
  const follows = branch ?? tag ?? "one commit"
  const kind = branch === undefined ? (tag === undefined ? commit : "tag") : "branch"
  return `git ${follows} of ${sha256(JSON.stringify([url, kind, follows])).slice(0, 12)}`
}

/** The callbacks of a git source. */
export interface GitListener {
  onSnapshot(snapshot: GitSnapshot): void
  /** Called with the reason why there is no commit yet. */
  onTrouble(reason: string): void
}

/**
 * Gives each new commit of a branch or tag, or the one commit that the settings name, with its selected files,
 * until the signal aborts. A fetch that fails is reported and retried at the next poll; nothing else happens.
 */
export async function watchGit(
  repository: SourceRepository,
  git: GitFromSettings,
  ports: WatchPorts,
  { onSnapshot, onTrouble }: GitListener,
  signal: AbortSignal,
): Promise<void> {
  const known: KnownBlobs = new Map()
  const { hurry = createLatest<true>() } = ports
  const { gitTroubles } = ports.status
  const what = `git ${gitSourceId(git)}`
  let shown: string | undefined
  while (!signal.aborted) {
    try {
      const commit = await wantedCommit(repository, git, signal)
      if (commit.id !== shown) {
        onSnapshot(await snapshotAt(repository, commit, git, { known, ports }, signal))
        shown = commit.id
      }
      gitTroubles.delete(what)
    } catch (error) {
      if (signal.aborted) return
      const reason = errorText(error)
      countBreach(error, git)
      ports.log.warn({ err: reason, source: gitSourceId(git) }, "cannot follow the git source")
      if (shown === undefined) onTrouble(reason)
      else gitTroubles.set(what, reason)
    }
    const wait = git.poll * (0.75 + Math.random() / 2)
    await waitOrNewer(wait, hurry, hurry.current()?.version ?? 0, ports.clock, signal).catch(() => undefined)
  }
}

function countBreach(error: unknown, git: GitFromSettings): void {
  const culprit = `origin ${gitSourceId(git)}`
  if (hasCode(error, "git/file-too-large")) noteBreach("file", culprit)
  if (hasCode(error, "git/too-many-files")) noteBreach("files", culprit)
}

async function snapshotAt(
  repository: SourceRepository,
  { id, seq }: { id: string; seq: number },
  git: GitFromSettings,
  { known, ports }: { known: KnownBlobs; ports: WatchPorts },
  signal: AbortSignal,
): Promise<GitSnapshot> {
  const tree = await repository.tree(id, signal)
  const unknown = selectProblems(tree.problems, git)
  if (unknown.length > 0) logUnknown(unknown, id, git, ports)
  return {
    commit: id,
    token: { epoch: 0, seq },
    committedAt: await repository.timeOf(id, signal),
    files: await gitFiles(
      repository,
      { commit: id, tree },
      { ...git, mostBytes: ports.mostBytes },
      { known, onRead: ports.onRead },
      signal,
    ),
    // Moving a tag, or naming another commit in the settings, is deliberate; a branch only grows unless configured otherwise.
    mayGoBack: git.branch === undefined || git.commit !== undefined || git.allowForcePush,
    unknown,
    refusesUnknown: git.unknownContent === "refuse",
  }
}

/** As many problems as one log line names. */
const MOST_NAMED = 20

function logUnknown(
  unknown: readonly Problem[],
  commit: string,
  git: GitFromSettings,
  { log }: WatchPorts,
): void {
  const problems = unknown.slice(0, MOST_NAMED).map(problemText)
  const fields = { source: gitSourceId(git), commit, problems, count: unknown.length }
  if (git.unknownContent === "refuse") log.error(fields, "a commit is not known whole and is not shown")
  else log.warn(fields, "parts of a commit are not known and are left out")
}

async function wantedCommit(
  repository: SourceRepository,
  git: GitFromSettings,
  signal: AbortSignal,
): Promise<{ id: string; seq: number }> {
  if (git.commit === undefined) {
    const { commit, seq } = await repository.fetch(signal)
    return { id: commit, seq }
  }
  // A commit never changes: one that is here needs no server, which may be down as we start.
  const here = await repository.seqOf(git.commit, signal)
  if (here !== undefined) return { id: git.commit, seq: here }
  await repository.fetch(signal)
  const seq = await repository.seqOf(git.commit, signal)
  if (seq !== undefined) return { id: git.commit, seq }
  throw new HeadraceError("projection/no-commit", `${git.branch} has no commit ${git.commit}`, {
    hint: "Name a commit of that branch.",
  })
}
