import { UsageError } from "../foundation/errors.ts"
import type { GitSetting } from "./process/git-environment.ts"
import { userNameEnvironment } from "./process/user-name.ts"

/** How a mirror proves who it is. Secrets are given at each fetch, so that they may rotate. */
export type RemoteAuth =
  | { kind: "token"; username?: string; token(signal?: AbortSignal): Promise<string> }
  | { kind: "ssh"; keyFile: string; knownHostsFile?: string; hostKeys?: "strict" | "accept-new" | "off" }

/** What a git command needs to log in: never an argument, never part of a URL. */
export interface GitLogin {
  settings: GitSetting[]
  env: Record<string, string>
  secret: string | undefined
}

/** What GitHub takes with an App's token, and any name with a personal one. */
const TOKEN_USER = "x-access-token"
const CREDENTIAL_HELPER =
  '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$HEADRACE_GIT_USER" "$HEADRACE_GIT_TOKEN"; }; f'

/**
 * Settings and variables for one fetch. The token goes through a credential helper bound to the URL's
 * origin, not through http.extraHeader: git hands it to that server alone, also after a redirect to
 * another one (a repository that moved). gitcredentials(7).
 */
export async function gitLogin(
  auth: RemoteAuth | undefined,
  url: string,
  signal?: AbortSignal,
): Promise<GitLogin> {
  if (auth === undefined) return { settings: [], env: {}, secret: undefined }
  if (auth.kind === "ssh") return { settings: [], env: sshEnvironment(auth), secret: undefined }
  const { origin } = new URL(url)
  const secret = (await auth.token(signal)).trim()
  return {
    settings: [[`credential.${origin}.helper`, CREDENTIAL_HELPER]],
    env: { HEADRACE_GIT_USER: auth.username ?? TOKEN_USER, HEADRACE_GIT_TOKEN: secret },
    secret,
  }
}

/**
 * Refuses a URL that carries a secret, would send one in clear, or fetches in clear without `allowPlaintext`; what
 * stays on this machine is not in clear. Throws UsageError `git/…`.
 */
export function checkUrl(url: string, auth: RemoteAuth | undefined, allowPlaintext = false): void {
  const parsed = /^https?:/i.test(url) ? new URL(url) : undefined
  if (parsed?.password || (parsed?.username && !auth)) {
    throw new UsageError("git/credentials-in-url", `the URL of ${parsed.host} carries credentials`, {
      hint: "Put them in a file and name it in the source's auth.",
    })
  }
  if (
    auth?.kind === "token" &&
    (parsed === undefined || (parsed.protocol !== "https:" && !isLoopback(url)))
  ) {
    throw new UsageError(
      "git/insecure-token",
      "a token is for https:// URLs only: anything else sends it in clear",
      {
        hint: "Use an https:// URL, or an SSH key.",
      },
    )
  }
  if (isPlaintext(url) && !isLoopback(url) && !allowPlaintext) {
    const [scheme] = url.split(":", 1)
    throw new UsageError(
      "git/plaintext-url",
      `${scheme}:// fetches in clear, from a server that proves nothing`,
      {
        hint: "Use an https:// or SSH URL, or set allowPlaintext: true.",
      },
    )
  }
}

/** What git may speak for this URL: GIT_ALLOW_PROTOCOL, git(1). */
export function allowedProtocols(url: string, allowPlaintext = false): string {
  const always = "file:https:ssh"
  return allowPlaintext || (isPlaintext(url) && isLoopback(url)) ? `${always}:http:git` : always
}

function isPlaintext(url: string): boolean {
  return /^(git|http):\/\//i.test(url)
}

function isLoopback(url: string): boolean {
  return ["127.0.0.1", "localhost", "[::1]"].includes(URL.parse(url)?.hostname ?? "")
}

/** ssh_config(5): UserKnownHostsFile is a list by spaces, so a path is written in double quotes. */
function sshEnvironment(auth: Extract<RemoteAuth, { kind: "ssh" }>): Record<string, string> {
  const hostKeys = { strict: "yes", "accept-new": "accept-new", off: "no" }[auth.hostKeys ?? "strict"]
  const options = [
    "-F /dev/null",
    `-i ${shellQuoted(auth.keyFile)}`,
    "-o IdentitiesOnly=yes",
    "-o BatchMode=yes",
    "-o ConnectTimeout=15",
    "-o ServerAliveInterval=15",
    `-o StrictHostKeyChecking=${hostKeys}`,
    ...(auth.knownHostsFile ? [`-o ${shellQuoted(`UserKnownHostsFile="${auth.knownHostsFile}"`)}`] : []),
  ]
  return { ...userNameEnvironment(), GIT_SSH_COMMAND: `ssh ${options.join(" ")}`, GIT_SSH_VARIANT: "ssh" }
}

/** GIT_SSH_COMMAND is read by a shell. */
function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
