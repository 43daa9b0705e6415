import type { Octokit } from "@octokit/rest"
import { clustersWritten, type MergeReport } from "./merge-report.ts"

const CONTEXT = "headrace"

/** `written to 2/3 clusters`, with what GitHub calls its state. */
export function commitStatus(report: MergeReport): {
  state: "pending" | "success" | "failure"
  description: string
} {
  const { written, failed, all } = clustersWritten(report)
  const state = failed > 0 ? "failure" : written === all ? "success" : "pending"
  return { state, description: `written to ${written}/${all} clusters` }
}

/** Sets the status of the merge's commit unless it was set so last time; gives what it is now. */
export async function setStatus(
  github: Octokit,
  report: MergeReport,
  last: string | undefined,
): Promise<string> {
  const { state, description } = commitStatus(report)
  const now = `${state}: ${description}`
  if (now === last) return now
  const [owner = "", repo = ""] = report.repo.split("/")
  await github.rest.repos.createCommitStatus({
    owner,
    repo,
    sha: report.sha,
    state,
    description,
    context: CONTEXT,
  })
  return now
}
