import { type ErrorCode, HeadraceError } from "../../foundation/errors.ts"

interface Kind {
  code: ErrorCode
  pattern: RegExp
  hint: string
}

/** What git says on standard error, in English, and what it means. The first that fits. */
const KINDS: readonly Kind[] = [
  {
    code: "git/branch-missing",
    pattern: /couldn't find remote ref|Remote branch .* not found/,
    hint: "Check the source's branch or tag; a renamed default branch must be renamed here too.",
  },
  {
    code: "git/commit-missing",
    pattern: /not our ref|unadvertised object/,
    hint: "Check the commit's id; some servers give only commits that a branch or tag contains.",
  },
  {
    code: "git/object-format",
    pattern: /mismatched algorithms: client/,
    hint: "Wait: a mirror with the server's hash is made by itself.",
  },
  {
    code: "git/bad-object",
    pattern: /fsck error in (packed object|pack)/,
    hint: "Check the repository with git fsck; list faults that are known and harmless in the source's fsckIgnore.",
  },
  {
    code: "git/auth-failed",
    pattern:
      /Authentication failed|could not read (Username|Password)|Permission denied \(|returned error: 40[13]|HTTP Basic: Access denied/,
    hint: "Check the source's auth: a token or key that may read this repository.",
  },
  {
    code: "git/no-user-name",
    pattern: /No user exists for uid/,
    hint: "Run as a user of /etc/passwd, or install nss_wrapper (Debian: libnss-wrapper).",
  },
  {
    code: "git/host-key",
    pattern: /Host key verification failed/,
    hint: "Add the server's key to known_hosts.",
  },
  {
    code: "git/unsafe-owner",
    pattern: /dubious ownership|unsafe repository/,
    hint: "Run as the user who owns the repository, or give it to the user who runs this.",
  },
  {
    code: "git/repository-missing",
    pattern:
      /does not appear to be a git repository|invalid gitfile format|[Rr]epository .*not found|Repository not found|returned error: 404|access denied or repository not exported/,
    hint: "Check the source's url; a private repository without auth looks missing too.",
  },
  {
    code: "git/disk-full",
    pattern: /No space left on device|Disk quota exceeded/,
    hint: "Free space in the folder of the mirrors.",
  },
  {
    code: "git/locked",
    pattern: /\.lock': File exists/,
    hint: "Wait: it is removed and the fetch tried again; a killed git left it.",
  },
  {
    code: "git/damaged",
    pattern:
      /not a git repository|bad config|is corrupt|corrupted? |object file .* is empty|bad object|unable to (read|parse|find|unpack) |does not match index|far too short|is truncated|inflate|index file .* (too small|corrupt)|missing (blob|tree|commit)|bad (tree|revision|ref)|Unable to create '.*\.lock'|cannot lock ref|did not send all necessary objects|unresolved deltas|packed-refs/,
    hint: "Check the disk when this happens again: the mirror is fetched again automatically.",
  },
  {
    code: "git/unreachable",
    pattern:
      /Could not resolve host|Couldn't connect|Connection (refused|reset|timed out|closed)|Failed to connect|unable to (access|connect)|Operation too slow|early EOF|hung up|Network is unreachable|Temporary failure/,
    hint: "Check the network between here and the git server; it is tried again.",
  },
]

/** The error for a git command that failed, by what it wrote to standard error. */
export function gitFailure(command: string, code: number | null, stderr: string): HeadraceError {
  const text = stderr.trim()
  // An error of the remote is no damage here, and another fetch would not repair it.
  const ours = text.replaceAll(/^remote: .*$/gm, "")
  const kind = KINDS.find(({ code: kindOf, pattern }) => pattern.test(kindOf === "git/damaged" ? ours : text))
  const said = text
    .split("\n")
    .filter((line) => line !== "")
    .slice(-4)
    .join("; ")
  return new HeadraceError(
    kind?.code ?? "git/failed",
    `git ${command} failed: ${said || `exit code ${code ?? "none"}`}`,
    { ...(kind ? { hint: kind.hint } : {}), fields: { command, exitCode: code } },
  )
}
