import { resolve as resolvePath } from "node:path"
import { HeadraceError, UsageError } from "../foundation/errors.ts"
import { FULL_ID } from "../foundation/object-id.ts"
import type { Log } from "../observe/log.ts"
import { checkUrl, type RemoteAuth } from "./git-login.ts"
import { isLocalUrl } from "./local-remote.ts"
import { claimFolder } from "./mirror/claim-folder.ts"
import { GitMirror } from "./mirror/git-mirror.ts"
import { createMirror, type MirrorIdentity, mirrorFault } from "./mirror/mirror-folder.ts"
import { removeLeftovers } from "./mirror/remove-leftovers.ts"
import type { UpkeepOptions } from "./mirror/upkeep.ts"
import type { GitBounds } from "./objects/repository-reader.ts"
import { runGit } from "./process/run-git.ts"
import type { SourceRepository } from "./source-repository.ts"

export interface MirrorOptions {
  /** The source's name; the mirror is the folder NAME.git, or NAME-2.git when another program holds that. */
  name: string
  /** HTTPS, SSH or a local path; the operator's word, never a payload's. */
  url: string
  /** What to follow; one of the three. */
  branch?: string | undefined
  tag?: string | undefined
  /** Full id. */
  commit?: string | undefined
  /** Folder of all mirrors; made when it is missing. */
  folder: string
  auth?: RemoteAuth
  /** PEM file of authorities, in place of the system's. */
  caFile?: string | undefined
  /** Proxy to fetch by; absent: the environment's. */
  proxy?: string | undefined
  /** Fetch over git:// and http://, too, which nothing protects on the way. */
  allowPlaintext?: boolean
  /** Faults of old objects that are accepted, by git's names for them: git-fsck(1), fsck.<msg-id>. */
  fsckIgnore?: readonly string[]
  log: Log
  /** Milliseconds that a fetch may take; 10 minutes, as a first one brings the whole history. */
  fetchTimeout?: number
  upkeep?: UpkeepOptions
  /** Bytes of a blob, and files of a commit; absent: as many as there are. */
  bounds?: GitBounds | undefined
}

export type Mirror = SourceRepository &
  Pick<GitMirror, "checkedOut" | "contained" | "summaryOf" | "lastChange" | "objects" | "close">

/**
 * Opens the bare mirror of a source, or makes an empty one: the first fetch fills it. One that is damaged,
 * half made or of another remote is replaced. Another program that has it open keeps it: this one then gets
 * a mirror of its own beside it.
 *
 * Throws UsageError `git/bad-branch`, `git/bad-tag`, `git/bad-commit`, `git/credentials-in-url`, `git/plaintext-url`, `git/insecure-token`; HeadraceError `git/…`.
 */
export async function openMirror(options: MirrorOptions): Promise<Mirror> {
  checkUrl(options.url, options.auth, options.allowPlaintext)
  const ref = await refOf(options)
  if (!/^[A-Za-z0-9][-.\w]*$/.test(options.name)) {
    throw new UsageError("git/bad-name", `${JSON.stringify(options.name)} cannot name a mirror`)
  }
  const url = absoluteUrl(options.url)
  const { branch } = options
  const identity: MirrorIdentity = { format: 1, url, ...(branch === undefined ? { ref } : { branch }) }
  const log = options.log.child({ source: options.name })
  const { place, release } = await claimFolder(resolvePath(options.folder), options.name)
  try {
    await makeUsable(place, identity, log)
  } catch (error) {
    await release()
    throw error
  }
  return new GitMirror({ ...options, url, ref, place, identity, log, release })
}

async function makeUsable(place: string, identity: MirrorIdentity, log: Log): Promise<void> {
  const removed = await removeLeftovers(place)
  if (removed.length > 0)
    log.warn({ removed: removed.length }, "removed what a killed git left in the mirror")
  const fault = await mirrorFault(place, identity)
  if (fault === undefined) return
  log.info({ reason: fault }, "making a new mirror")
  await createMirror(place, identity)
}

/** The ref to fetch. Throws UsageError `git/bad-branch`, `git/bad-tag`, `git/bad-commit`. */
async function refOf({ branch, tag, commit }: MirrorOptions): Promise<string> {
  if (branch !== undefined) return checkedRef("branch", "refs/heads", branch)
  if (tag !== undefined) return checkedRef("tag", "refs/tags", tag)
  if (commit !== undefined && FULL_ID.test(commit)) return commit
  throw new UsageError("git/bad-commit", `${JSON.stringify(commit)} is not a commit's full id`)
}

async function checkedRef(kind: "branch" | "tag", folder: string, name: string): Promise<string> {
  const ref = `${folder}/${name}`
  await runGit({ args: ["check-ref-format", ref] }).catch((cause: unknown) => {
    if (!(cause instanceof HeadraceError) || cause.code !== "git/failed") throw cause
    throw new UsageError(
      kind === "branch" ? "git/bad-branch" : "git/bad-tag",
      `${JSON.stringify(name)} cannot be a ${kind}'s name`,
      {
        hint: `Give the ${kind} alone, such as ${kind === "branch" ? "main" : "v1.2"}.`,
      },
    )
  })
  return ref
}

/** A local path is made absolute, since git runs elsewhere; scp-like `host:path` has a colon before any slash. */
function absoluteUrl(url: string): string {
  return isLocalUrl(url) && !/^file:/i.test(url) ? resolvePath(url) : url
}
