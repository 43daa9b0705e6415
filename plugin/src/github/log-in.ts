import type { GitHubSettings } from "@headrace/shared/settings/operator-settings"
import type { Octokit } from "@octokit/rest"
import { openAsApp, openWithToken } from "./open-github.ts"
import { statusOf } from "./rate-limit.ts"

/** GitHub's API, and who we are there. */
export interface GitHub {
  octokit: Octokit
  /** True for a comment of ours. Anybody may write a comment with our marker in it, and change it later. */
  wrote(comment: AuthoredComment): Promise<boolean>
}

/** What GitHub says about the author of a comment. */
export interface AuthoredComment {
  user?: { login: string; type?: string } | null
  performed_via_github_app?: { id: number } | null
}

/** Undefined when the settings name no credentials. `most`: bytes of an answer. Throws UsageError `github/credentials`. */
export async function logInToGitHub(
  { tokenFile, githubApp, apiUrl }: Pick<GitHubSettings, "tokenFile" | "githubApp" | "apiUrl">,
  most?: number,
): Promise<GitHub | undefined> {
  if (githubApp) {
    const octokit = await openAsApp(githubApp, apiUrl, most)
    return { octokit, wrote: async (comment) => isOfApp(comment, githubApp.appId) }
  }
  if (tokenFile === undefined) return undefined
  const octokit = await openWithToken(tokenFile, apiUrl, most)
  return { octokit, wrote: ownedByToken(octokit) }
}

/** An older GitHub Enterprise Server does not say which App it was. */
function isOfApp({ performed_via_github_app: app, user }: AuthoredComment, appId: number): boolean {
  return app === undefined ? user?.type === "Bot" : app?.id === appId
}

function ownedByToken(octokit: Octokit): GitHub["wrote"] {
  let login: Promise<string | undefined> | undefined
  return async ({ user }) => {
    login ??= loginOf(octokit)
    // A failure is asked about again with the next report.
    const mine = await login.catch((error: unknown) => {
      login = undefined
      throw error
    })
    return mine === undefined ? user?.type === "Bot" : user?.login === mine
  }
}

/** Undefined for a token that belongs to nobody: one of an App's installation, which acts as a bot. */
async function loginOf(octokit: Octokit): Promise<string | undefined> {
  try {
    return (await octokit.rest.users.getAuthenticated()).data.login
  } catch (error) {
    if (statusOf(error) === 403 && !/rate limit/i.test(String(error))) return undefined
    throw error
  }
}
