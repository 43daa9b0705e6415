import { readFile } from "node:fs/promises"
import type { z } from "zod"
import { HeadraceError, UsageError } from "../foundation/errors.ts"
import type { GitAuth } from "../settings/git-auth.ts"
import type { RemoteAuth } from "./git-login.ts"

type AuthSettings = z.infer<typeof GitAuth>

/** Makes installation tokens of a GitHub App (app-tokens.ts); given by the programs that speak to GitHub. */
export type AppTokens = (app: NonNullable<AuthSettings["githubApp"]>, signal?: AbortSignal) => Promise<string>

/**
 * How to log in, from a source's `auth`. Files are read at each fetch, so that secrets may rotate.
 * Throws UsageError `git/bad-auth` when the settings name more than one way, or an App without `appTokens`.
 */
export function authFromSettings(
  auth: AuthSettings | undefined,
  appTokens?: AppTokens,
): RemoteAuth | undefined {
  const { tokenFile, sshKeyFile, githubApp } = auth ?? {}
  const ways = [tokenFile, sshKeyFile, githubApp].filter((way) => way !== undefined)
  if (ways.length > 1)
    throw new UsageError("git/bad-auth", "auth names more than one of tokenFile, sshKeyFile and githubApp")
  if (tokenFile !== undefined) return { kind: "token", token: () => readSecret(tokenFile) }
  if (sshKeyFile !== undefined) return sshAuth(sshKeyFile, auth)
  if (githubApp === undefined) return undefined
  if (appTokens === undefined) {
    throw new UsageError("git/bad-auth", "this program cannot log in as a GitHub App", {
      hint: "Use tokenFile or sshKeyFile.",
    })
  }
  return { kind: "token", token: (signal) => appTokens(githubApp, signal) }
}

function sshAuth(keyFile: string, auth: AuthSettings | undefined): RemoteAuth {
  const { sshKnownHostsFile, sshHostKeys } = auth ?? {}
  return {
    kind: "ssh",
    keyFile,
    ...(sshKnownHostsFile ? { knownHostsFile: sshKnownHostsFile } : {}),
    ...(sshHostKeys ? { hostKeys: sshHostKeys } : {}),
  }
}

/** The text of a file that holds a token or a key. Throws HeadraceError `git/auth-failed`. */
export async function readSecret(file: string): Promise<string> {
  const secret = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new HeadraceError("git/auth-failed", `the secret file ${file} cannot be read`, { cause })
  })
  if (secret.trim() !== "") return secret.trim()
  throw new HeadraceError("git/auth-failed", `the secret file ${file} is empty`)
}
