import type { GitHub } from "./log-in.ts"
import { statusOf } from "./rate-limit.ts"

export interface CommentThread {
  /** ORG/NAME. */
  repo: string
  pull: number
  /** Ends every comment of ours on this pull request. */
  marker: string
  /** Milliseconds since the epoch; none of our comments is older. */
  since: number
}

const PAGE = 100
/** A clock that is off by less than this does no harm. */
const CLOCK_SLACK_MS = 3_600_000

/**
 * Makes the comment say `text`, creating it only when there is none of ours, and gives its id. `known` is the
 * id from last time. Must not run twice at once for one pull request.
 *
 * Before it creates, it looks: an earlier attempt may have got through although its answer did not reach us.
 */
export async function postComment(
  github: GitHub,
  thread: CommentThread,
  text: string,
  known: number | undefined,
): Promise<number> {
  const [owner = "", repo = ""] = thread.repo.split("/")
  const { issues } = github.octokit.rest
  const mine = known === undefined ? await findComment(github, thread) : { id: known, body: undefined }
  if (mine === undefined) {
    const created = await issues.createComment({ owner, repo, issue_number: thread.pull, body: text })
    return created.data.id
  }
  if (mine.body === text) return mine.id
  await issues.updateComment({ owner, repo, comment_id: mine.id, body: text }).catch((error: unknown) => {
    // Somebody deleted it, and does not want it back.
    if (statusOf(error) !== 404) throw error
  })
  return mine.id
}

async function findComment(
  { octokit, wrote }: GitHub,
  thread: CommentThread,
): Promise<{ id: number; body: string | undefined } | undefined> {
  const [owner = "", repo = ""] = thread.repo.split("/")
  const since = new Date(thread.since - CLOCK_SLACK_MS).toISOString()
  const pages = octokit.paginate.iterator(octokit.rest.issues.listComments, {
    owner,
    repo,
    issue_number: thread.pull,
    since,
    per_page: PAGE,
  })
  for await (const page of pages) {
    for (const comment of page.data) {
      const marked = comment.body?.trimEnd().endsWith(thread.marker)
      if (marked && (await wrote(comment))) return { id: comment.id, body: comment.body }
    }
  }
  return undefined
}
