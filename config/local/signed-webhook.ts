import { createHmac, randomUUID } from "node:crypto"

/** Where webhooks go and how they are signed. */
export interface Hook {
  url: string
  secret: string
  /** ORG/NAME */
  repository: string
  branch: string
}

/** The body of a `pull_request` event for a pull request merged as `commit`, in GitHub's shape. */
export function mergedPullRequest(hook: Hook, commit: string, number: number): string {
  const repository = repositoryOf(hook)
  return JSON.stringify({
    action: "closed",
    number,
    pull_request: {
      number,
      merged: true,
      merge_commit_sha: commit,
      base: { ref: hook.branch, repo: repository },
    },
    repository,
  })
}

/** The body of a `push` event to the followed branch. */
export function push(hook: Hook, before: string, after: string): string {
  return JSON.stringify({ ref: `refs/heads/${hook.branch}`, before, after, repository: repositoryOf(hook) })
}

function repositoryOf(hook: Hook): object {
  const [login, name] = hook.repository.split("/")
  return { full_name: hook.repository, name, owner: { login }, default_branch: hook.branch }
}

/** Sends a delivery as GitHub would; gives the HTTP status. `delivery` is its GUID, for sending it twice. */
export async function sendWebhook(
  hook: Hook,
  event: "pull_request" | "push",
  body: string,
  delivery: string = randomUUID(),
): Promise<number> {
  const signature = createHmac("sha256", hook.secret).update(body).digest("hex")
  const response = await fetch(hook.url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "user-agent": "GitHub-Hookshot/local",
      "x-github-event": event,
      "x-github-delivery": delivery,
      "x-hub-signature-256": `sha256=${signature}`,
    },
    body,
  })
  await response.arrayBuffer()
  return response.status
}
