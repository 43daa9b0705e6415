import { readFile } from "node:fs/promises"
import { UsageError } from "@headrace/shared/foundation/errors"
import { followKeyFile } from "@headrace/shared/git/follow-key-file"
import { githubApi } from "@headrace/shared/git/github-api"
import { createAppAuth } from "@octokit/auth-app"
import { Octokit } from "@octokit/rest"

/** A GitHub App's installation, as the settings name it. */
export interface AppLogin {
  appId: number
  installationId: number
  privateKeyFile: string
}

/**
 * GitHub's API as an App's installation. The key's file is read again for each request, so that the key may be rotated.
 * `most`: bytes of an answer.
 * Throws UsageError `github/credentials`.
 */
export async function openAsApp(app: AppLogin, apiUrl: string, most?: number): Promise<Octokit> {
  const { appId, installationId, privateKeyFile } = app
  await readCredentials(privateKeyFile)
  type Hook = ReturnType<typeof createAppAuth>["hook"]
  function authStrategy(given: Parameters<typeof createAppAuth>[0]) {
    const login = followKeyFile(
      () => readCredentials(privateKeyFile),
      (privateKey) => createAppAuth({ ...given, privateKey }),
    )
    return { hook: async (...request: Parameters<Hook>) => (await login()).hook(...request) }
  }
  return new Octokit({ ...options(apiUrl, most), authStrategy, auth: { appId, installationId } })
}

/**
 * GitHub's API with a token, which is read again for each request, so that it may be rotated. Throws UsageError
 * `github/credentials`.
 */
export async function openWithToken(tokenFile: string, apiUrl: string, most?: number): Promise<Octokit> {
  await readCredentials(tokenFile)
  const octokit = new Octokit(options(apiUrl, most))
  octokit.hook.before("request", async (request) => {
    request.headers.authorization = `token ${await readCredentials(tokenFile)}`
  })
  return octokit
}

function options(apiUrl: string, most: number | undefined): ConstructorParameters<typeof Octokit>[0] {
  // Octokit writes to the console by default; what fails is thrown, and the caller logs it.
  const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
  return { ...githubApi(apiUrl, most), userAgent: "headrace", log: silent }
}

async function readCredentials(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new UsageError("github/credentials", `cannot read the GitHub credentials ${file}`, { cause })
  })
  if (text.trim() !== "") return text.trim()
  throw new UsageError("github/credentials", `the GitHub credentials ${file} are empty`)
}
