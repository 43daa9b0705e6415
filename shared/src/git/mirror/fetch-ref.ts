import { resolve } from "node:path"
import { HeadraceError } from "../../foundation/errors.ts"
import { allowedProtocols, gitLogin, type RemoteAuth } from "../git-login.ts"
import { servedLocally } from "../local-remote.ts"
import { type GitSetting, gitEnvironment } from "../process/git-environment.ts"
import { runGit } from "../process/run-git.ts"
import { explainMissing } from "./explain-missing.ts"

/** The ref of a mirror that keeps the commit of its branch, tag or id at the last fetch. */
export const TIP = "refs/headrace/tip"

/** Commits that something needs beside the branch, each under its id: what no ref keeps, git drops in time. */
export const KEPT = "refs/headrace/kept/"

export interface FetchRequest {
  url: string
  /** `refs/heads/NAME`, `refs/tags/NAME` or a commit's full id. */
  ref: string
  /** The ref of the mirror that it goes to; the tip unless given. */
  to?: string
  auth?: RemoteAuth
  /** PEM file of authorities, in place of the system's. */
  caFile?: string | undefined
  /** Proxy to fetch by; absent: the environment's. */
  proxy?: string | undefined
  allowPlaintext?: boolean
  /** Faults of objects that are accepted, by git's names for them: git-fsck(1). */
  fsckIgnore?: readonly string[]
  place: string
  fetchTimeout?: number
  signal: AbortSignal
}

const TIMEOUT = 600_000

/** git-config(1): after a power cut the mirror is examined when it is opened, and made again (docs/decisions/171). */
const NOT_DURABLE: GitSetting = ["core.fsync", "none"]

/**
 * Brings a ref's commit and its whole history into the mirror at `place`, also when a branch was forced or a tag
 * moved elsewhere. Throws `git/branch-missing`, `git/empty`, `git/commit-missing`, `git/bad-object`,
 * `git/object-format`, `git/repository-missing`, `git/auth-failed`,
 * `git/unreachable`, `git/shallow`, `git/damaged`, `git/timeout` and the signal's reason; no message holds a secret.
 */
export async function fetchRef(request: FetchRequest): Promise<void> {
  const { url, ref, to = TIP, auth, place, signal } = request
  const login = await gitLogin(auth, url, signal)
  const served = servedLocally(url)
  const settings = [...login.settings, NOT_DURABLE, ...remoteSettings(request), ...fsckSettings(request)]
  const env = gitEnvironment(settings, {
    ...login.env,
    ...served.env,
    ...authorities(request),
    // A redirect from https:// to http:// is none of a setting's either.
    GIT_ALLOW_PROTOCOL: allowedProtocols(url, request.allowPlaintext),
  })
  try {
    const { stderr } = await runGit({
      gitDir: place,
      env,
      signal,
      timeout: request.fetchTimeout ?? TIMEOUT,
      args: [
        "fetch",
        "--no-progress",
        "--no-tags",
        "--no-write-fetch-head",
        "--no-auto-maintenance",
        "--no-recurse-submodules",
        ...served.args,
        "--end-of-options",
        url,
        `+${ref}:${to}`,
      ],
    })
    // Git leaves the ref as it was, says so and ends with 0.
    if (stderr.includes("shallow roots are not allowed")) throw shallow(url)
  } catch (error) {
    if (!(error instanceof HeadraceError)) throw error
    const explained = await explainMissing(error, request, { env, args: served.args })
    throw told(explained, login.secret, url)
  }
}

/** git-config(1), http.proxy. */
function remoteSettings({ proxy }: FetchRequest): GitSetting[] {
  return proxy === undefined ? [] : [["http.proxy", proxy]]
}

/** git(1), GIT_SSL_CAINFO: it goes before http.sslCAInfo, and the program's own environment may have one. */
function authorities({ caFile }: FetchRequest): Record<string, string> {
  return caFile === undefined ? {} : { GIT_SSL_CAINFO: resolve(caFile) }
}

/** What a server sends is checked before it is believed: git-config(1), fetch.fsckObjects. */
function fsckSettings({ fsckIgnore = [] }: FetchRequest): GitSetting[] {
  const accepted = fsckIgnore.map((fault): GitSetting => [`fetch.fsck.${fault}`, "ignore"])
  return [["fetch.fsckObjects", "true"], ...accepted]
}

/** The error without the secret, should a server have echoed it, and with the remote's name. */
function told(error: HeadraceError, secret: string | undefined, url: string): HeadraceError {
  const message = secret ? error.message.replaceAll(secret, "[secret]") : error.message
  return new HeadraceError(error.code, message, {
    ...(error.hint ? { hint: error.hint } : {}),
    fields: { ...error.fields, url },
  })
}

function shallow(url: string): HeadraceError {
  return new HeadraceError("git/shallow", `${url} is a shallow clone, which lacks part of its history`, {
    hint: "Fetch from the full repository, or run git fetch --unshallow in that one.",
  })
}
