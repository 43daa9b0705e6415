/**
 * Payloads as GitHub sends them, with the fields around those that count.
 * https://docs.github.com/webhooks/webhook-events-and-payloads
 */
export const githubEvent = { push, merged, mergeGroup, renamed, transferred, defaultBranchRenamed, ping }

const NOBODY = "0".repeat(40)

interface PushFields {
  sha: string
  before?: string
  /** The whole ref, or a branch's name. */
  ref?: string
  repo?: string
  forced?: boolean
}

/** A push; to a ref that is new when `before` is not given, of one that went away when `sha` is all zeros. */
function push({ sha, before = NOBODY, ref = "main", repo, forced = false }: PushFields): object {
  const commit = {
    id: sha,
    tree_id: sha,
    message: "change",
    author: SENDER,
    added: [],
    removed: [],
    modified: [],
  }
  const gone = sha === NOBODY
  return {
    ref: ref.startsWith("refs/") ? ref : `refs/heads/${ref}`,
    before,
    after: sha,
    base_ref: null,
    created: before === NOBODY,
    deleted: gone,
    forced,
    compare: `https://github.com/openshift/release/compare/${before.slice(0, 12)}...${sha.slice(0, 12)}`,
    commits: gone ? [] : [commit],
    head_commit: gone ? null : commit,
    pusher: { name: "somebody", email: null },
    repository: { ...repository(repo), master_branch: "main" },
    sender: SENDER,
  }
}

interface PullRequestFields {
  sha: string | null
  number: number
  base?: string
  repo?: string
  action?: "closed" | "opened" | "synchronize" | "edited"
  merged?: boolean
  title?: string
  /** Who merged it; GitHub's merge queue is a bot. */
  by?: string
}

/** A pull request's event; merged and closed unless stated otherwise. */
function merged({ sha, number, base = "main", repo, ...more }: PullRequestFields): object {
  const {
    action = "closed",
    merged: isMerged = action === "closed",
    title = "A change",
    by = "somebody",
  } = more
  const where = repository(repo)
  return {
    action,
    number,
    pull_request: {
      id: 1_000_000 + number,
      number,
      state: action === "closed" ? "closed" : "open",
      title,
      body: null,
      draft: false,
      merged: isMerged,
      merge_commit_sha: sha,
      merged_at: isMerged ? "2026-11-21T07:00:00Z" : null,
      merged_by: isMerged ? { ...SENDER, login: by } : null,
      base: { label: `openshift:${base}`, ref: base, sha: NOBODY, repo: where },
      head: { label: "somebody:topic", ref: "topic", sha: "f".repeat(40), repo: where },
      user: SENDER,
      labels: [],
    },
    repository: where,
    sender: { ...SENDER, login: by },
  }
}

/** A merge queue asks for checks of what it is about to merge. */
function mergeGroup({ sha, ref }: { sha: string; ref: string }): object {
  return {
    action: "checks_requested",
    merge_group: { head_sha: sha, head_ref: ref, base_sha: NOBODY, base_ref: "refs/heads/main" },
    repository: repository(),
    sender: SENDER,
  }
}

function renamed(from: string, to: string): object {
  const name = from.split("/")[1]
  return {
    action: "renamed",
    changes: { repository: { name: { from: name } } },
    repository: repository(to),
    sender: SENDER,
  }
}

function transferred(from: string, to: string): object {
  const organization = { login: from.split("/")[0], id: 1 }
  return {
    action: "transferred",
    changes: { owner: { from: { organization } } },
    repository: repository(to),
    sender: SENDER,
  }
}

function defaultBranchRenamed(from: string, to: string): object {
  const changes = { default_branch: { from } }
  return { action: "edited", changes, repository: { ...repository(), default_branch: to }, sender: SENDER }
}

/** What GitHub sends when a webhook has been made. */
function ping(): object {
  return {
    zen: "Design for failure.",
    hook_id: 1,
    hook: { type: "Repository", id: 1, active: true, events: ["push"], config: { content_type: "json" } },
    repository: repository(),
    sender: SENDER,
  }
}

const SENDER = { login: "somebody", id: 2, type: "User", site_admin: false }

function repository(fullName = "openshift/release"): Record<string, unknown> {
  const [login, name] = fullName.split("/")
  return {
    id: 3,
    name,
    full_name: fullName,
    private: false,
    owner: { login, id: 1, type: "Organization" },
    html_url: `https://github.com/${fullName}`,
    clone_url: `https://github.com/${fullName}.git`,
    fork: false,
    default_branch: "main",
  }
}
