import type { AppTokens } from "@headrace/shared/git/auth-from-settings"
import { type AppLogin, openAsApp } from "./open-github.ts"

/**
 * Makes installation tokens of GitHub Apps for git, each good for an hour and kept for most of it. `apiUrl`
 * is GitHub's API or that of a GitHub Enterprise Server.
 */
export function appTokens(apiUrl: string): AppTokens {
  const opened = new Map<string, ReturnType<typeof openAsApp>>()
  return async (app: AppLogin) => {
    const name = JSON.stringify(app)
    const opening = opened.get(name) ?? openAsApp(app, apiUrl)
    opened.set(name, opening)
    const octokit = await opening.catch((error: unknown) => {
      // A key that could not be read may be there the next time.
      opened.delete(name)
      throw error
    })
    const answer = (await octokit.auth({ type: "installation" })) as { token: string }
    return answer.token
  }
}
