import { boundedMap } from "@headrace/shared/foundation/bounded-map"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { GitHub } from "./log-in.ts"
import type { MergeNotes } from "./merge-notes.ts"
import { statusOf } from "./rate-limit.ts"

/** Finds out of what Redis calls a merge whether GitHub calls it one too. */
export interface MergeConfirmer {
  /** The branch that it was merged into; undefined: there is no such merge. Throws what GitHub does, `github/unconfirmed`. */
  branchOf(notes: Pick<MergeNotes, "repo" | "pull" | "sha">): Promise<string | undefined>
}

/** Merges of which it is remembered. */
const KEPT = 1000
/** How long an answer that something is no merge counts. A merge's own webhook never comes before it is one. */
const REFUSED_MS = 60_000
/** Requests for what turns out to be no merge, so that forged jobs do not use up GitHub's rate limit of 5,000 an hour. */
const MOST_REFUSED = 30
const REFUSED_WINDOW_MS = 600_000

/**
 * Asks GitHub about each merge once. Redis is no authority: who may write there could name any pull request and commit, and
 * have our comment, status or deployment put there.
 */
export function confirmMerges({ octokit }: Pick<GitHub, "octokit">, now = Date.now): MergeConfirmer {
  const known = boundedMap<{ branch: string | undefined; at: number }>(KEPT)
  let refused: number[] = []

  function keep(key: string, branch: string | undefined): string | undefined {
    known.set(key, { branch, at: now() })
    if (branch === undefined) refused.push(now())
    return branch
  }

  return {
    async branchOf({ repo, pull, sha }) {
      const key = `${repo}#${pull} ${sha}`
      const before = known.get(key)
      if (before && (before.branch !== undefined || now() - before.at < REFUSED_MS)) return before.branch
      refused = refused.filter((at) => now() - at < REFUSED_WINDOW_MS)
      if (refused.length >= MOST_REFUSED) throw tooMany()
      return keep(key, await readBranch(octokit, { repo, pull, sha }))
    },
  }
}

async function readBranch(
  octokit: GitHub["octokit"],
  { repo: fullName, pull, sha }: Pick<MergeNotes, "repo" | "pull" | "sha">,
): Promise<string | undefined> {
  const [owner = "", repo = ""] = fullName.split("/")
  try {
    const { data } = await octokit.rest.pulls.get({ owner, repo, pull_number: pull })
    return data.merged && data.merge_commit_sha === sha ? data.base.ref : undefined
  } catch (error) {
    if (statusOf(error) !== 404) throw error
    return undefined
  }
}

function tooMany(): HeadraceError {
  return new HeadraceError(
    "github/unconfirmed",
    `Redis named ${MOST_REFUSED} merges within ten minutes that GitHub does not know`,
    { hint: "Find out who else writes into this Redis: docs/reference/redis.md." },
  )
}
