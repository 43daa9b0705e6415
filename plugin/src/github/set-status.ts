import type { Octokit } from "@octokit/rest"
import { z } from "zod"
import { clusterLiveness } from "./cluster-liveness.ts"
import type { GitHub } from "./log-in.ts"
import type { MergeReport } from "./merge-report.ts"

/** What was said last, and when. */
export const SaidStatus = z.strictObject({
  /** `state: description`. */
  said: z.string(),
  /** Milliseconds since the epoch. */
  at: z.int(),
  /** How often something was said. */
  count: z.int(),
})
export type SaidStatus = z.infer<typeof SaidStatus>

const CONTEXT = "headrace"
/** Between two statuses of one commit that say no more than how many nodes have followed. */
const PROGRESS_MS = 10_000
/** GitHub takes 1,000 of one commit and context; what is said beyond this is how it ends. */
const MOST_STATUSES = 50

/**
 * `live on 12/20 nodes`, with what GitHub calls its state: `success` when every cluster that the merge touches is live,
 * never because something is written.
 */
export function commitStatus(report: MergeReport): {
  state: "pending" | "success" | "failure"
  description: string
} {
  const clusters = clusterLiveness(report)
  const isLive = clusters.every(({ state }) => state === "live")
  const isFailed = clusters.some(({ state }) => state === "failed")
  return {
    state: isFailed ? "failure" : isLive ? "success" : "pending",
    description: descriptionOf(clusters),
  }
}

/** GitHub takes no longer one (docs.github.com, "Create a commit status"). */
const MOST_DESCRIPTION = 140

function descriptionOf(clusters: ReturnType<typeof clusterLiveness>): string {
  // Which file, line and rule: the author of the commit can fix that, and counts do not say it.
  const refused = clusters.find(({ state, reason }) => state === "failed" && reason?.startsWith("gate/"))
  if (refused?.reason) return shortText(refused.reason)
  const written = clusters.filter(({ isWritten }) => isWritten).length
  const live = clusters.reduce((sum, one) => sum + one.live, 0)
  const nodes = clusters.reduce((sum, one) => sum + one.nodes, 0)
  const isWritten = written === clusters.length
  const parts = [
    ...(isWritten && nodes > 0 ? [] : [`written to ${written}/${clusters.length} clusters`]),
    ...(nodes > 0 ? [`live on ${live}/${nodes} nodes`] : []),
  ]
  return parts.join(", ")
}

function shortText(text: string): string {
  return text.length <= MOST_DESCRIPTION ? text : `${text.slice(0, MOST_DESCRIPTION - 1)}…`
}

/** What we have said of a merge's commit, as GitHub has it; undefined: nothing. What others say under our name does not count. */
export async function findStatus(
  { octokit, wrote }: GitHub,
  { repo: fullName, sha }: MergeReport,
): Promise<SaidStatus | undefined> {
  const [owner = "", repo = ""] = fullName.split("/")
  // Newest first (docs.github.com, "List commit statuses for a reference").
  const { data } = await octokit.rest.repos.listCommitStatusesForRef({
    owner,
    repo,
    ref: sha,
    per_page: 100,
  })
  const named = data.filter(({ context }) => context === CONTEXT)
  const [newest] = named
  if (newest === undefined) return undefined
  // A stranger's that came last is what everybody sees: ours is said again.
  if (!(await wrote({ user: newest.creator }))) return undefined
  const { state, description, created_at: at } = newest
  return { said: `${state}: ${description}`, at: Date.parse(at), count: named.length }
}

/**
 * Sets the status of the merge's commit unless it was set so last time, or says too little to be said so soon; gives what
 * it is now.
 */
export async function setStatus(
  github: Octokit,
  report: MergeReport,
  last: SaidStatus | undefined,
  at: number,
): Promise<SaidStatus> {
  const { state, description } = commitStatus(report)
  const said = `${state}: ${description}`
  if (last && !isNews(last, state, said, at)) return last
  const [owner = "", repo = ""] = report.repo.split("/")
  await github.rest.repos.createCommitStatus({
    owner,
    repo,
    sha: report.sha,
    state,
    description,
    context: CONTEXT,
  })
  return { said, at, count: (last?.count ?? 0) + 1 }
}

function isNews(
  { said: before, at: then, count }: SaidStatus,
  state: string,
  said: string,
  at: number,
): boolean {
  if (before === said || before.startsWith("success")) return false
  if (state === "success") return true
  if (count >= MOST_STATUSES) return false
  return !before.startsWith(`${state}:`) || at - then >= PROGRESS_MS
}
