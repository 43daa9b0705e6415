import type { Octokit } from "@octokit/rest"
import { z } from "zod"
import { type ClusterLiveness, clusterLiveness } from "./cluster-liveness.ts"
import type { GitHub } from "./log-in.ts"
import type { MergeReport } from "./merge-report.ts"

/** What was said of a merge's deployment to one cluster. */
export const SaidDeployment = z.strictObject({
  id: z.int(),
  /** `state: description` of the last status; empty: none yet. */
  said: z.string(),
  /** How many statuses it has been given. */
  count: z.int(),
})
export type SaidDeployment = z.infer<typeof SaidDeployment>

const TASK = "headrace"
/** Statuses of one deployment, success apart: a target that fails and recovers all day is no news. */
const MOST_STATUSES = 10
const MOST_DESCRIPTION = 140

/**
 * Gives the merge's commit a deployment for each cluster that it touches, and each its status: `in_progress`, `success` once
 * all nodes show it, `failure` with the reason. `success` is the last word, unless a rollout returns. `known` is what was said before, by cluster;
 * `save` keeps what is said now. May be repeated at any time.
 * https://docs.github.com/rest/deployments
 */
export async function setDeployments(
  github: GitHub,
  report: MergeReport,
  known: ReadonlyMap<string, SaidDeployment>,
  save: (cluster: string, said: SaidDeployment) => Promise<void>,
): Promise<void> {
  for (const one of clusterLiveness(report)) {
    const before = known.get(one.cluster) ?? (await findDeployment(github, report, one.cluster))
    const { state, description } = deploymentStatus(one)
    const said = `${state}: ${description}`
    if (before && !isNews(before, { state, said, isRejected: one.isRejected })) continue
    const id = before?.id ?? (await createDeployment(github.octokit, report, one.cluster))
    await save(one.cluster, { id, said: before?.said ?? "", count: before?.count ?? 0 })
    await github.octokit.rest.repos.createDeploymentStatus({
      ...place(report),
      deployment_id: id,
      state,
      description,
    })
    await save(one.cluster, { id, said, count: (before?.count ?? 0) + 1 })
  }
}

/** A rollout can return from where it was live already: that is said, however much was said before. */
function isNews(
  { said: before, count }: SaidDeployment,
  { state, said, isRejected }: { state: string; said: string; isRejected: boolean },
): boolean {
  if (before === said) return false
  if (isRejected) return !before.startsWith(`${state}: tried by stages`)
  return !before.startsWith("success") && (state === "success" || count < MOST_STATUSES)
}

/** A deployment's status, by how far the merge has got in its cluster. */
export function deploymentStatus({ state, reason, live, nodes }: ClusterLiveness): {
  state: "in_progress" | "success" | "failure"
  description: string
} {
  const counted = nodes === 0 ? "written; no agent runs there" : `live on ${live}/${nodes} nodes`
  if (state === "live") return { state: "success", description: counted }
  if (state === "waiting") return { state: "in_progress", description: "on its way to the nodes" }
  return { state: "failure", description: oneLine(reason ?? "").slice(0, MOST_DESCRIPTION) }
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ")
}

function place({ repo: fullName }: MergeReport): { owner: string; repo: string } {
  const [owner = "", repo = ""] = fullName.split("/")
  return { owner, repo }
}

async function createDeployment(octokit: Octokit, report: MergeReport, cluster: string): Promise<number> {
  const { data } = await octokit.rest.repos.createDeployment({
    ...place(report),
    ref: report.sha,
    environment: cluster,
    task: TASK,
    description: `#${report.pull}`,
    // The commit is merged: nothing is to be merged into it, and no check is waited for.
    auto_merge: false,
    required_contexts: [],
  })
  if ("id" in data) return data.id
  throw new Error(`no deployment: ${data.message ?? "GitHub gives no reason"}`)
}

/** One of ours from before Redis forgot it, or from an attempt whose answer was lost. */
async function findDeployment(
  { octokit, wrote }: GitHub,
  report: MergeReport,
  cluster: string,
): Promise<SaidDeployment | undefined> {
  const { repos } = octokit.rest
  const query = { ...place(report), sha: report.sha, environment: cluster, task: TASK, per_page: 10 }
  const { data: deployments } = await repos.listDeployments(query)
  for (const { id, creator, performed_via_github_app: app } of deployments) {
    if (!(await wrote({ user: creator, performed_via_github_app: app ? { id: app.id ?? 0 } : null })))
      continue
    const { data: statuses } = await repos.listDeploymentStatuses({
      ...place(report),
      deployment_id: id,
      per_page: MOST_STATUSES,
    })
    const [last] = statuses
    return { id, said: last ? `${last.state}: ${last.description}` : "", count: statuses.length }
  }
  return undefined
}
