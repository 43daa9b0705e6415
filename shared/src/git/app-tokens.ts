import { errorText, HeadraceError, hasCode } from "../foundation/errors.ts"
import { type AppTokens, readSecret } from "./auth-from-settings.ts"
import { followKeyFile } from "./follow-key-file.ts"
import { githubApi } from "./github-api.ts"

type App = Parameters<AppTokens>[0]

/**
 * Makes installation tokens of GitHub Apps for git, each good for an hour and kept for most of it. `apiUrl` is
 * GitHub's API or that of a GitHub Enterprise Server. The tokens' makers throw HeadraceError `git/auth-failed`.
 */
export function appTokens(apiUrl: string, most?: number): AppTokens {
  const opened = new Map<string, ReturnType<typeof openApp>>()
  return async (app, signal) => {
    const name = JSON.stringify(app)
    try {
      const opening = opened.get(name) ?? openApp(app, apiUrl, most)
      opened.set(name, opening)
      const login = await (await opening)()
      signal?.throwIfAborted()
      return (await login({ type: "installation" })).token
    } catch (error) {
      signal?.throwIfAborted()
      // A key that could not be read, or was not the App's, may be right the next time.
      opened.delete(name)
      if (hasCode(error, "git/")) throw error
      throw new HeadraceError(
        "git/auth-failed",
        `GitHub App ${app.appId} got no token: ${errorText(error)}`,
        {
          hint: "Check appId, installationId and the private key.",
        },
      )
    }
  }
}

/** Gives the login of the key that its file holds now. Loads what speaks to GitHub when it is needed: most sources log in otherwise. */
async function openApp(
  { appId, installationId, privateKeyFile }: App,
  apiUrl: string,
  most: number | undefined,
) {
  const { createAppAuth } = await import("@octokit/auth-app")
  const { request } = await import("@octokit/request")
  const api = request.defaults({ ...githubApi(apiUrl, most), headers: { "user-agent": "headrace" } })
  return followKeyFile(
    () => readSecret(privateKeyFile),
    (privateKey) => createAppAuth({ appId, installationId, privateKey, request: api }),
  )
}
