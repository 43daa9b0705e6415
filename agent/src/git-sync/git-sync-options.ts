/**
 * The version of git-sync whose manual and main.go the list below follows, with what its main branch has added since
 * (commit e2be7fa of July 2026: --pre-publish-exechook-*, --git-config-add).
 */
export const GIT_SYNC_VERSION = "4.7.1"

export type GitSyncValueKind = "text" | "number" | "switch" | "duration" | "list"

/** One option of git-sync, by flag, by environment variable or by both. */
export interface GitSyncOption {
  /** Without dashes; undefined: only a variable. */
  flag?: string
  kind: GitSyncValueKind
  /** The variable first, then the older names that git-sync still reads, of which the last one set counts. */
  env?: readonly string[]
  default?: string
  /** For the help. */
  meaning: string
  /** `honoured`; `without-effect`: accepted, and a log line gives `reason`; `refused`: an error that gives `reason`. */
  verdict: "honoured" | "without-effect" | "refused"
  /** Why an option is not honoured, or what differs. */
  reason?: string
}

/** Every flag and every variable of git-sync. */
export const GIT_SYNC_OPTIONS = {
  version: { flag: "version", kind: "switch", meaning: "print the version and end", verdict: "honoured" },
  help: { flag: "help", kind: "switch", meaning: "print this help and end", verdict: "honoured" },
  man: { flag: "man", kind: "switch", meaning: "print this help and end", verdict: "honoured" },
  verbose: option("verbose", "number", "log level: 0 to 9, from 3 with debug lines", { default: "0" }),
  repo: option("repo", "text", "the repository to sync; required", { old: ["GIT_SYNC_REPO"] }),
  ref: option("ref", "text", "branch, tag, full or short commit id", { default: "HEAD" }),
  depth: option("depth", "number", "commits of history to fetch; 0: all", {
    default: "1",
    old: ["GIT_SYNC_DEPTH"],
  }),
  filter: option("filter", "text", "partial clone, such as blob:none"),
  submodules: option("submodules", "text", "recursive, shallow or off", {
    default: "recursive",
    old: ["GIT_SYNC_SUBMODULES"],
  }),
  sparseCheckoutFile: option("sparse-checkout-file", "text", "file with git's sparse-checkout patterns", {
    old: ["GIT_SYNC_SPARSE_CHECKOUT_FILE"],
  }),
  root: option("root", "text", "folder to keep everything in", {
    default: "/git",
    old: ["GIT_SYNC_ROOT"],
    reason: "git-sync's image sets GITSYNC_ROOT to /git, and manifests rely on it.",
  }),
  link: option("link", "text", "link to the synced files, absolute or below --root", {
    old: ["GIT_SYNC_LINK"],
  }),
  errorFile: option("error-file", "text", "file that holds the last error, absolute or below --root", {
    old: ["GIT_SYNC_ERROR_FILE"],
  }),
  initPeriod: option(
    "init-period",
    "duration",
    "wait between attempts until the first success; otherwise --period",
    {
      default: "0s",
    },
  ),
  period: option("period", "duration", "wait between syncs", { default: "10s", old: ["GIT_SYNC_PERIOD"] }),
  syncTimeout: option("sync-timeout", "duration", "limit for one sync", {
    default: "120s",
    old: ["GIT_SYNC_SYNC_TIMEOUT"],
  }),
  oneTime: option("one-time", "switch", "end after the first sync", { old: ["GIT_SYNC_ONE_TIME"] }),
  syncOnSignal: option("sync-on-signal", "text", "sync when this signal arrives, by name or number", {
    old: ["GIT_SYNC_SYNC_ON_SIGNAL"],
  }),
  maxFailures: option("max-failures", "number", "consecutive failures after which to end; -1: never", {
    default: "0",
    old: ["GIT_SYNC_MAX_FAILURES"],
  }),
  initMaxFailures: option("init-max-failures", "number", "the same until the first success", { default: "" }),
  touchFile: option("touch-file", "text", "file to touch after each new sync, absolute or below --root", {
    old: ["GIT_SYNC_TOUCH_FILE"],
  }),
  addUser: option("add-user", "switch", "add this user to /etc/passwd, for SSH", {
    old: ["GIT_SYNC_ADD_USER"],
    reason:
      "Not needed: ssh gets a name for this user in any case where libnss_wrapper is installed, as in the image.",
  }),
  groupWrite: option("group-write", "switch", "let the group write", {
    old: ["GIT_SYNC_GROUP_WRITE"],
    reason:
      "Folders are 0775, so that the group can add and replace files; files stay read-only: revisions share them.",
  }),
  staleWorktreeTimeout: option("stale-worktree-timeout", "duration", "how long replaced files stay", {
    default: "0s",
    reason:
      "Without it a replaced revision stays for one minute, and the newest two always: readers may be in it.",
  }),
  exechookCommand: option("exechook-command", "text", "program to run after each new sync", {
    old: ["GIT_SYNC_EXECHOOK_COMMAND"],
  }),
  exechookTimeout: option("exechook-timeout", "duration", "its time limit", {
    default: "30s",
    old: ["GIT_SYNC_EXECHOOK_TIMEOUT"],
  }),
  exechookBackoff: option("exechook-backoff", "duration", "wait before it is run again", {
    default: "3s",
    old: ["GIT_SYNC_EXECHOOK_BACKOFF"],
  }),
  prePublishExechookCommand: option(
    "pre-publish-exechook-command",
    "text",
    "program to run before the link moves",
    { reason: "The link waits for its first run to end, with any result." },
  ),
  prePublishExechookTimeout: option("pre-publish-exechook-timeout", "duration", "its time limit", {
    default: "30s",
  }),
  prePublishExechookBackoff: option(
    "pre-publish-exechook-backoff",
    "duration",
    "wait before it is run again",
    {
      default: "3s",
    },
  ),
  webhookUrl: option("webhook-url", "text", "URL to call after each new sync", {
    old: ["GIT_SYNC_WEBHOOK_URL"],
  }),
  webhookMethod: option("webhook-method", "text", "its HTTP method", {
    default: "POST",
    old: ["GIT_SYNC_WEBHOOK_METHOD"],
  }),
  webhookSuccessStatus: option("webhook-success-status", "number", "the answer that counts; 0: any", {
    default: "200",
    old: ["GIT_SYNC_WEBHOOK_SUCCESS_STATUS"],
  }),
  webhookTimeout: option("webhook-timeout", "duration", "its time limit", {
    default: "1s",
    old: ["GIT_SYNC_WEBHOOK_TIMEOUT"],
  }),
  webhookBackoff: option("webhook-backoff", "duration", "wait before it is called again", {
    default: "3s",
    old: ["GIT_SYNC_WEBHOOK_BACKOFF"],
  }),
  username: option("username", "text", "user to log in to --repo", { old: ["GIT_SYNC_USERNAME"] }),
  passwordVariable: {
    kind: "text",
    env: ["GITSYNC_PASSWORD", "GIT_SYNC_PASSWORD"],
    meaning: "its password",
    verdict: "honoured",
  },
  passwordFile: option("password-file", "text", "file that holds its password, read at each sync", {
    old: ["GIT_SYNC_PASSWORD_FILE"],
  }),
  credential: option("credential", "list", "JSON object or list: url, username, password or password-file"),
  sshKeyFile: option("ssh-key-file", "list", "SSH key", {
    default: "/etc/git-secret/ssh",
    old: ["GIT_SYNC_SSH_KEY_FILE", "GIT_SSH_KEY_FILE"],
  }),
  sshKnownHosts: option("ssh-known-hosts", "switch", "verify the server's host key", {
    default: "true",
    old: ["GIT_SYNC_KNOWN_HOSTS", "GIT_KNOWN_HOSTS"],
  }),
  sshKnownHostsFile: option("ssh-known-hosts-file", "text", "the known host keys", {
    default: "/etc/git-secret/known_hosts",
    old: ["GIT_SYNC_SSH_KNOWN_HOSTS_FILE", "GIT_SSH_KNOWN_HOSTS_FILE"],
  }),
  cookieFile: option("cookie-file", "switch", "log in by the cookies of /etc/git-secret/cookie_file", {
    old: ["GIT_SYNC_COOKIE_FILE", "GIT_COOKIE_FILE"],
  }),
  askpassUrl: option("askpass-url", "text", "URL that answers username= and password=", {
    old: ["GIT_SYNC_ASKPASS_URL", "GIT_ASKPASS_URL"],
  }),
  githubBaseUrl: option("github-base-url", "text", "GitHub's API", { default: "https://api.github.com/" }),
  githubAppPrivateKey: {
    kind: "text",
    env: ["GITSYNC_GITHUB_APP_PRIVATE_KEY"],
    meaning: "private key of a GitHub App",
    verdict: "honoured",
  },
  githubAppPrivateKeyFile: option("github-app-private-key-file", "text", "file that holds that key"),
  githubAppClientId: option("github-app-client-id", "text", "the App's client id"),
  githubAppApplicationId: option("github-app-application-id", "number", "or its application id", {
    default: "0",
  }),
  githubAppInstallationId: option("github-app-installation-id", "number", "its installation", {
    default: "0",
  }),
  git: option("git", "text", "the git program", { default: "git", old: ["GIT_SYNC_GIT"] }),
  gitConfig: option("git-config", "text", "git settings, key:value, with commas between them", {
    old: ["GIT_SYNC_GIT_CONFIG"],
  }),
  gitConfigAdd: {
    flag: "git-config-add",
    kind: "list",
    meaning: "one git setting, key:value",
    verdict: "honoured",
  },
  gitGc: option("git-gc", "text", "auto, always, aggressive or off", {
    default: "always",
    old: ["GIT_SYNC_GIT_GC"],
  }),
  httpBind: option("http-bind", "text", "HOST:PORT of / and /metrics", { old: ["GIT_SYNC_HTTP_BIND"] }),
  httpMetrics: option("http-metrics", "switch", "serve /metrics", { old: ["GIT_SYNC_HTTP_METRICS"] }),
  httpPprof: option("http-pprof", "switch", "serve /debug/pprof", {
    old: ["GIT_SYNC_HTTP_PPROF"],
    verdict: "without-effect",
    reason: "Profiles of Go exist only in programs written in Go; /debug/pprof answers 404.",
  }),

  branch: deprecated("branch", "text", ["GIT_SYNC_BRANCH"], "use --ref"),
  rev: deprecated("rev", "text", ["GIT_SYNC_REV"], "use --ref"),
  dest: deprecated("dest", "text", ["GIT_SYNC_DEST"], "use --link"),
  maxSyncFailures: deprecated(
    "max-sync-failures",
    "number",
    ["GIT_SYNC_MAX_SYNC_FAILURES"],
    "use --max-failures",
  ),
  password: deprecated("password", "text", [], "use --password-file or GITSYNC_PASSWORD"),
  syncHookCommand: deprecated(
    "sync-hook-command",
    "text",
    ["GIT_SYNC_HOOK_COMMAND"],
    "use --exechook-command",
  ),
  timeout: deprecated("timeout", "number", ["GIT_SYNC_TIMEOUT"], "seconds; use --sync-timeout"),
  wait: deprecated("wait", "number", ["GIT_SYNC_WAIT"], "seconds; use --period"),
  v: deprecated("v", "number", [], "use --verbose"),
  ssh: {
    flag: "ssh",
    kind: "switch",
    env: ["GIT_SYNC_SSH"],
    meaning: "deprecated",
    verdict: "without-effect",
    reason: "No longer necessary, as in git-sync itself: the URL shows whether SSH is used.",
  },
  changePermissions: {
    flag: "change-permissions",
    kind: "number",
    env: ["GIT_SYNC_PERMISSIONS"],
    default: "0",
    meaning: "deprecated",
    verdict: "refused",
    reason: "git-sync 4 refuses it as well. Use --group-write.",
  },
} as const satisfies Record<string, GitSyncOption>

export type GitSyncOptionName = keyof typeof GIT_SYNC_OPTIONS

/** What a user of git-sync can rely on beyond its options and does not find here, by name. */
export const NOT_PROVIDED = [
  {
    name: ".git in the tree",
    reason:
      "The synced folder holds the files alone: a revision is complete and read-only. Programs that run git in it, such as git archive in a hook, need a clone of their own.",
  },
  {
    name: "symbolic links",
    reason:
      "A link inside the tree is published as what it links to. One that dangles, is part of a cycle or has its target outside of the tree is left out, and a log line names it.",
  },
  {
    name: "file modes",
    reason:
      "Files are 0444 and 0555: revisions share their files, so that one that is written would change in all.",
  },
  {
    name: "an emptied --root",
    reason:
      "Nothing in --root is removed but what this program, or git-sync before it, has put there. A file or folder at the place of --link is refused by name.",
  },
  {
    name: "one copy of the files",
    reason: "The clone has a work tree of its own: beside git's objects --root holds the files twice.",
  },
  {
    name: "two writers of one --root",
    reason:
      "One process writes a root. Another one waits ten seconds for it, and then ends with publish/locked: give each pod a volume of its own, or the strategy Recreate.",
  },
] as const

interface Extra {
  default?: string
  old?: readonly string[]
  verdict?: GitSyncOption["verdict"]
  reason?: string
}

function option(flag: string, kind: GitSyncValueKind, meaning: string, extra: Extra = {}): GitSyncOption {
  const { old = [], verdict = "honoured", ...rest } = extra
  const variable = `GITSYNC_${flag.toUpperCase().replaceAll("-", "_")}`
  return { flag, kind, meaning, verdict, env: [variable, ...old], ...rest }
}

function deprecated(
  flag: string,
  kind: GitSyncValueKind,
  env: readonly string[],
  meaning: string,
): GitSyncOption {
  return { flag, kind, env, meaning: `deprecated: ${meaning}`, verdict: "honoured" }
}
