import { expect, it } from "vitest"
import { parseGitConfigPairs } from "./git-config-pairs.ts"
import { gitSyncHelp } from "./git-sync-help.ts"
import { GIT_SYNC_OPTIONS, GIT_SYNC_VERSION, type GitSyncOption } from "./git-sync-options.ts"
import { type GitSyncSettings, gitSyncSettings } from "./git-sync-settings.ts"
import { parseGoDuration } from "./parse-go-values.ts"
import { readGitSyncOptions } from "./read-git-sync-options.ts"

/** The flags of git-sync 4.7.1 and its main branch, hidden and deprecated ones too (main.go). */
const FLAGS =
  `version help man verbose repo ref depth filter submodules sparse-checkout-file root link error-file
  init-period period sync-timeout one-time sync-on-signal max-failures init-max-failures touch-file add-user group-write
  stale-worktree-timeout exechook-command exechook-timeout exechook-backoff pre-publish-exechook-command
  pre-publish-exechook-timeout pre-publish-exechook-backoff webhook-url webhook-method webhook-success-status
  webhook-timeout webhook-backoff username password-file credential ssh-key-file ssh-known-hosts ssh-known-hosts-file
  cookie-file askpass-url github-base-url github-app-private-key-file github-app-client-id github-app-application-id
  github-app-installation-id git git-config git-config-add git-gc http-bind http-metrics http-pprof branch
  change-permissions dest max-sync-failures password rev ssh sync-hook-command timeout v wait`.split(/\s+/)

/** The variables that it reads (main.go), older names included. */
const VARIABLES = `GITSYNC_ADD_USER GITSYNC_ASKPASS_URL GITSYNC_COOKIE_FILE GITSYNC_CREDENTIAL GITSYNC_DEPTH
  GITSYNC_ERROR_FILE GITSYNC_EXECHOOK_BACKOFF GITSYNC_EXECHOOK_COMMAND GITSYNC_EXECHOOK_TIMEOUT GITSYNC_FILTER
  GITSYNC_GIT GITSYNC_GITHUB_APP_APPLICATION_ID GITSYNC_GITHUB_APP_CLIENT_ID GITSYNC_GITHUB_APP_INSTALLATION_ID
  GITSYNC_GITHUB_APP_PRIVATE_KEY GITSYNC_GITHUB_APP_PRIVATE_KEY_FILE GITSYNC_GITHUB_BASE_URL GITSYNC_GIT_CONFIG
  GITSYNC_GIT_GC GITSYNC_GROUP_WRITE GITSYNC_HTTP_BIND GITSYNC_HTTP_METRICS GITSYNC_HTTP_PPROF
  GITSYNC_INIT_MAX_FAILURES GITSYNC_INIT_PERIOD GITSYNC_LINK GITSYNC_MAX_FAILURES GITSYNC_ONE_TIME GITSYNC_PASSWORD
  GITSYNC_PASSWORD_FILE GITSYNC_PERIOD GITSYNC_PRE_PUBLISH_EXECHOOK_BACKOFF GITSYNC_PRE_PUBLISH_EXECHOOK_COMMAND
  GITSYNC_PRE_PUBLISH_EXECHOOK_TIMEOUT GITSYNC_REF GITSYNC_REPO GITSYNC_ROOT GITSYNC_SPARSE_CHECKOUT_FILE
  GITSYNC_SSH_KEY_FILE GITSYNC_SSH_KNOWN_HOSTS GITSYNC_SSH_KNOWN_HOSTS_FILE GITSYNC_STALE_WORKTREE_TIMEOUT
  GITSYNC_SUBMODULES GITSYNC_SYNC_ON_SIGNAL GITSYNC_SYNC_TIMEOUT GITSYNC_TOUCH_FILE GITSYNC_USERNAME GITSYNC_VERBOSE
  GITSYNC_WEBHOOK_BACKOFF GITSYNC_WEBHOOK_METHOD GITSYNC_WEBHOOK_SUCCESS_STATUS GITSYNC_WEBHOOK_TIMEOUT
  GITSYNC_WEBHOOK_URL GIT_ASKPASS_URL GIT_COOKIE_FILE GIT_KNOWN_HOSTS GIT_SSH_KEY_FILE GIT_SSH_KNOWN_HOSTS_FILE
  GIT_SYNC_ADD_USER GIT_SYNC_ASKPASS_URL GIT_SYNC_BRANCH GIT_SYNC_COOKIE_FILE GIT_SYNC_DEPTH GIT_SYNC_DEST
  GIT_SYNC_ERROR_FILE GIT_SYNC_EXECHOOK_BACKOFF GIT_SYNC_EXECHOOK_COMMAND GIT_SYNC_EXECHOOK_TIMEOUT GIT_SYNC_GIT
  GIT_SYNC_GIT_CONFIG GIT_SYNC_GIT_GC GIT_SYNC_GROUP_WRITE GIT_SYNC_HOOK_COMMAND GIT_SYNC_HTTP_BIND
  GIT_SYNC_HTTP_METRICS GIT_SYNC_HTTP_PPROF GIT_SYNC_KNOWN_HOSTS GIT_SYNC_LINK GIT_SYNC_MAX_FAILURES
  GIT_SYNC_MAX_SYNC_FAILURES GIT_SYNC_ONE_TIME GIT_SYNC_PASSWORD GIT_SYNC_PASSWORD_FILE GIT_SYNC_PERIOD
  GIT_SYNC_PERMISSIONS GIT_SYNC_REPO GIT_SYNC_REV GIT_SYNC_ROOT GIT_SYNC_SPARSE_CHECKOUT_FILE GIT_SYNC_SSH_KEY_FILE
  GIT_SYNC_SSH_KNOWN_HOSTS_FILE GIT_SYNC_SUBMODULES GIT_SYNC_SYNC_ON_SIGNAL GIT_SYNC_SYNC_TIMEOUT GIT_SYNC_TIMEOUT
  GIT_SYNC_TOUCH_FILE GIT_SYNC_USERNAME GIT_SYNC_WAIT GIT_SYNC_WEBHOOK_BACKOFF GIT_SYNC_WEBHOOK_METHOD
  GIT_SYNC_WEBHOOK_SUCCESS_STATUS GIT_SYNC_WEBHOOK_TIMEOUT GIT_SYNC_WEBHOOK_URL`.split(/\s+/)

const OPTIONS: GitSyncOption[] = Object.values(GIT_SYNC_OPTIONS)
const NEEDED = ["--repo=r/name.git", "--root=/git"]

function settings(flags: string[], env: Record<string, string> = {}): GitSyncSettings {
  return gitSyncSettings(readGitSyncOptions([...NEEDED, ...flags], env))
}

it(`lists every flag and variable of git-sync ${GIT_SYNC_VERSION}, each honoured or with a reason`, () => {
  const flags = OPTIONS.flatMap(({ flag }) => flag ?? [])
  expect(FLAGS.filter((flag) => !flags.includes(flag))).toEqual([])
  const variables = OPTIONS.flatMap(({ env }) => env ?? [])
  expect(VARIABLES.filter((variable) => !variables.includes(variable))).toEqual([])
  for (const { verdict, reason } of OPTIONS) expect(verdict === "honoured" || reason).toBeTruthy()
  for (const flag of FLAGS.filter((name) => name.length > 1)) expect(gitSyncHelp()).toContain(`--${flag}`)
  expect(
    gitSyncHelp()
      .split("\n")
      .filter((line) => line.length > 80),
  ).toEqual([])
})

it("takes each flag as git-sync writes it: with =, as two words, switches with and without a value", () => {
  const given = settings([
    "--period",
    "1m30s",
    "--one-time",
    "--depth=0x10",
    "-v",
    "6",
    "--ssh-known-hosts=false",
  ])
  expect(given).toMatchObject({
    period: 90_000,
    oneTime: true,
    depth: 16,
    logLevel: "debug",
    knownHostsFile: undefined,
    link: "/git/name.git",
    ref: "HEAD",
    maxFailures: 0,
    submodules: "recursive",
    sshKeyFiles: ["/etc/git-secret/ssh"],
    gc: "always",
  })
  expect(settings(["-v2"]).logLevel).toBe("info")
  expect(settings(["--one-time=f"]).oneTime).toBe(false)
})

it("ignores arguments that are no flags, as git-sync does, and says so", () => {
  const { given, remarks } = readGitSyncOptions(
    [...NEEDED, "--one-time", "false", "--depth", "2", "--", "--x"],
    {},
  )
  expect([given.get("oneTime")?.values, given.get("depth")?.values]).toEqual([["true"], ["2"]])
  expect(remarks).toEqual(['The argument "false" is ignored: a switch takes its value after "=".'])
})

it("has the root of git-sync's image where none is given", () => {
  const { root, link } = gitSyncSettings(readGitSyncOptions(["--repo=https://example.com/a/b"], {}))
  expect([root, link]).toEqual(["/git", "/git/b"])
})

it("lets a flag win over a variable, and names older variables", () => {
  const env = {
    GITSYNC_PERIOD: "5s",
    GIT_SYNC_MAX_FAILURES: "7",
    GITSYNC_ONE_TIME: "true",
    GIT_SYNC_WAIT: "",
  }
  expect(settings(["--period=2s"], env)).toMatchObject({ period: 2000, maxFailures: 7, oneTime: true })
  expect(readGitSyncOptions(NEEDED, env).remarks).toEqual([
    "GIT_SYNC_MAX_FAILURES is an older name of GITSYNC_MAX_FAILURES.",
  ])
})

it("takes what git-sync has deprecated", () => {
  const old = ["--branch=b", "--rev=HEAD", "--dest=d", "--wait=0.25", "--timeout=9", "--max-sync-failures=3"]
  const more = ["--sync-hook-command=/h", "--password=p", "--username=u", "--ssh", "--v=5"]
  expect(settings([...old, ...more])).toMatchObject({
    ref: "b",
    link: "/git/d",
    period: 250,
    syncTimeout: 9000,
    maxFailures: 3,
    exechook: { command: "/h", timeout: 30_000, backoff: 3000 },
    credentials: [{ url: "r/name.git", username: "u", password: "p" }],
    logLevel: "debug",
  })
})

it.each([
  [["--perod=1s"], "git-sync has no flag --perod", "git-sync/bad-option"],
  [["-x"], 'no argument "-x"', "git-sync/bad-option"],
  [["--period"], "--period needs a value", "git-sync/bad-option"],
  [["--period=10"], '--period is "10", expected a duration', "git-sync/bad-option"],
  [["--period=1ms"], "--period must be at least 10ms", "git-sync/bad-option"],
  [["--depth=-1"], "--depth must be at least 0", "git-sync/bad-option"],
  [["--depth=many"], '--depth is "many", expected a whole number', "git-sync/bad-option"],
  [["--one-time=maybe"], "expected true or false", "git-sync/bad-option"],
  [["--submodules=deep"], "expected recursive, shallow, off", "git-sync/bad-option"],
  [["--sync-on-signal=SIGNOPE"], "which is no signal", "git-sync/bad-option"],
  [["--sync-on-signal=9"], "which is no signal that can be caught", "git-sync/bad-option"],
  [["--ref="], "--ref is required", "git-sync/bad-option"],
  [["--exechook-command=/x", "--exechook-timeout=10ms"], "at least 1s", "git-sync/bad-option"],
  [["--webhook-url=localhost"], "no http:// or https:// URL", "git-sync/bad-option"],
  [["--username=u"], "--username needs one of GITSYNC_PASSWORD and --password-file", "git-sync/bad-option"],
  [["--password-file=/f"], "--password-file needs --username", "git-sync/bad-option"],
  [["--credential={"], "--credential is no JSON", "git-sync/bad-option"],
  [['--credential={"url":"u","username":"n","pass":"x"}'], 'no field "pass"', "git-sync/bad-option"],
  [["--http-metrics"], "need --http-bind", "git-sync/bad-option"],
  [["--github-app-client-id=x"], "--github-app-installation-id", "git-sync/bad-option"],
  [["--git-config=nokey"], '"nokey" has no value', "git-sync/bad-option"],
  [["--change-permissions=0777"], "--change-permissions is not supported", "git-sync/refused"],
  [["--root="], "--root is required", "git-sync/bad-option"],
])("refuses %j", (flags, message, code) => {
  expect(() => settings(flags)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(message) }),
  )
})

it("logs an option that has no effect, with its reason", () => {
  const { remarks } = readGitSyncOptions([...NEEDED, "--http-pprof", "--ssh"], {})
  expect(remarks).toEqual([
    expect.stringContaining("--http-pprof has no effect here. Profiles of Go"),
    expect.stringContaining("--ssh has no effect here."),
  ])
})

it.each([
  ["a.b:c", [["a.b", "c"]]],
  [
    "a.b:c,d.e:f:g",
    [
      ["a.b", "c"],
      ["d.e", "f:g"],
    ],
  ],
  [
    '"url.https://x/.insteadOf":"git@x:",k:v\\,w',
    [
      ["url.https://x/.insteadOf", "git@x:"],
      ["k", "v,w"],
    ],
  ],
  ['"q\\"k":"a,b\\n"', [['q"k', "a,b\n"]]],
  ["", []],
])("reads git settings %j", (text, pairs) => {
  expect(parseGitConfigPairs(text)).toEqual(pairs)
})

it.each([
  ["100ms", 100],
  ["1h2m3.5s", 3_723_500],
  ["0", 0],
  ["-1s", -1000],
  ["1.5h", 5_400_000],
  ["10", undefined],
  ["", undefined],
  ["1 s", undefined],
])("reads the duration %j", (text, milliseconds) => {
  expect(parseGoDuration(text)).toBe(milliseconds)
})
