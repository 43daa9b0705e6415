import { constants } from "node:os"
import { resolve } from "node:path"
import { UsageError } from "@headrace/shared/foundation/errors"
import { parseGitConfigPairs } from "./git-config-pairs.ts"
import type { GitCredential } from "./git-credentials.ts"
import { GIT_SYNC_OPTIONS, type GitSyncOption, type GitSyncOptionName } from "./git-sync-options.ts"
import { parseGoBool, parseGoDuration, parseGoInt } from "./parse-go-values.ts"
import type { GivenOptions } from "./read-git-sync-options.ts"

/** What to run after, or before, a revision is shown. Durations in milliseconds. */
export interface HookSettings {
  command: string
  timeout: number
  backoff: number
}

export interface WebhookSettings {
  url: string
  method: string
  /** The answer that counts; undefined: any. */
  status: number | undefined
  timeout: number
  backoff: number
}

export interface GithubAppSettings {
  apiUrl: string
  /** Client id or application id. */
  issuer: string
  installation: number
  privateKey: string | undefined
  privateKeyFile: string | undefined
}

/** git-sync's options, checked. Paths are absolute, durations in milliseconds. */
export interface GitSyncSettings {
  repo: string
  ref: string
  /** Commits of history; 0: all. */
  depth: number
  filter: string | undefined
  submodules: "recursive" | "shallow" | "off"
  sparseFile: string | undefined
  root: string
  link: string
  errorFile: string | undefined
  touchFile: string | undefined
  initPeriod: number
  period: number
  syncTimeout: number
  oneTime: boolean
  syncOnSignal: NodeJS.Signals | undefined
  /** Consecutive failures after which to end; negative: never. */
  maxFailures: number
  initMaxFailures: number
  addUser: boolean
  groupWrite: boolean
  staleTimeout: number
  exechook: HookSettings | undefined
  prePublishHook: HookSettings | undefined
  webhook: WebhookSettings | undefined
  credentials: readonly GitCredential[]
  askpassUrl: string | undefined
  githubApp: GithubAppSettings | undefined
  sshKeyFiles: readonly string[]
  /** Undefined: host keys are not verified. */
  knownHostsFile: string | undefined
  cookieFile: boolean
  git: string
  gitConfig: readonly (readonly [key: string, value: string])[]
  gc: "auto" | "always" | "aggressive" | "off"
  httpBind: string | undefined
  httpMetrics: boolean
  logLevel: string
}

const LEAST_WAIT = 10
const LEAST_HOOK_WAIT = 1000
/** From this verbosity on git-sync logs the sync loop. */
const DEBUG_VERBOSITY = 3

/** Checks options as git-sync does. Throws UsageError `git-sync/bad-option` that names the option. */
export function gitSyncSettings(options: GivenOptions): GitSyncSettings {
  const read = valuesOf(options)
  const given = { repo: read.text("repo"), root: read.text("root") }
  if (given.repo === "")
    throw bad("--repo is required", "Give the repository, such as --repo=https://example.com/a/b.")
  if (given.root === "")
    throw bad("--root is required", "Give the folder to keep everything in, such as --root=/git.")
  const root = resolve(given.root)
  const link = read.text("dest") || read.text("link") || leafOf(given.repo)
  const { url, credentials } = credentialsOf(read, given.repo)
  return {
    repo: url,
    ref: refOf(read),
    depth: atLeast("--depth", read.number("depth"), 0),
    filter: read.text("filter") || undefined,
    submodules: read.choice("submodules", ["recursive", "shallow", "off"]),
    sparseFile: read.text("sparseCheckoutFile") || undefined,
    root,
    link: resolve(root, link),
    errorFile: read.path("errorFile", root),
    touchFile: read.path("touchFile", root),
    ...loopOf(read),
    addUser: read.flag("addUser"),
    groupWrite: read.flag("groupWrite"),
    staleTimeout: atLeast("--stale-worktree-timeout", read.duration("staleWorktreeTimeout"), 0),
    exechook: read.hook(read.text("syncHookCommand") || read.text("exechookCommand"), "exechook"),
    prePublishHook: read.hook(read.text("prePublishExechookCommand"), "prePublishExechook"),
    webhook: webhookOf(read),
    credentials,
    askpassUrl: read.text("askpassUrl") || undefined,
    githubApp: githubAppOf(read),
    sshKeyFiles: read.list("sshKeyFile"),
    knownHostsFile: read.flag("sshKnownHosts") ? read.text("sshKnownHostsFile") : undefined,
    cookieFile: read.flag("cookieFile"),
    git: read.text("git"),
    gitConfig: [read.text("gitConfig"), ...read.list("gitConfigAdd")].flatMap(parseGitConfigPairs),
    gc: read.choice("gitGc", ["auto", "always", "aggressive", "off"]),
    ...portOf(read),
    logLevel: verbosity(read) >= DEBUG_VERBOSITY ? "debug" : "info",
  }
}

type LoopSettings = Pick<
  GitSyncSettings,
  "initPeriod" | "period" | "syncTimeout" | "oneTime" | "syncOnSignal" | "maxFailures" | "initMaxFailures"
>

function loopOf(read: Values): LoopSettings {
  const period = atLeast("--period", read.first("wait", "period"), LEAST_WAIT)
  const initPeriod = read.duration("initPeriod")
  const maxFailures = read.number("maxSyncFailures") || read.number("maxFailures")
  return {
    period,
    initPeriod: initPeriod === 0 ? period : atLeast("--init-period", initPeriod, LEAST_WAIT),
    syncTimeout: atLeast("--sync-timeout", read.first("timeout", "syncTimeout"), LEAST_WAIT),
    oneTime: read.flag("oneTime"),
    syncOnSignal: signalOf(read.text("syncOnSignal")),
    maxFailures,
    initMaxFailures: read.isGiven("initMaxFailures") ? read.number("initMaxFailures") : maxFailures,
  }
}

function portOf(read: Values): Pick<GitSyncSettings, "httpBind" | "httpMetrics"> {
  const httpBind = read.text("httpBind") || undefined
  const httpMetrics = read.flag("httpMetrics")
  if (httpBind === undefined && (httpMetrics || read.flag("httpPprof"))) {
    throw bad("--http-metrics and --http-pprof need --http-bind", "Give --http-bind=:1234.")
  }
  return { httpBind, httpMetrics }
}

function verbosity(read: Values): number {
  return read.isGiven("v") ? read.number("v") : read.number("verbose")
}

type Values = ReturnType<typeof valuesOf>

/** Typed access to what was given. */
function valuesOf({ given }: GivenOptions) {
  const optionOf = (name: GitSyncOptionName): GitSyncOption => GIT_SYNC_OPTIONS[name]
  const nameOf = (name: GitSyncOptionName) => given.get(name)?.from ?? `--${optionOf(name).flag ?? name}`

  function text(name: GitSyncOptionName): string {
    return given.get(name)?.values.at(-1) ?? optionOf(name).default ?? ""
  }

  function parsed<T>(name: GitSyncOptionName, parse: (text: string) => T | undefined, what: string): T {
    const value = parse(text(name))
    if (value !== undefined) return value
    throw bad(`${nameOf(name)} is ${JSON.stringify(text(name))}, expected ${what}`, `Give ${what}.`)
  }

  const number = (name: GitSyncOptionName) =>
    text(name) === "" ? 0 : parsed(name, parseGoInt, "a whole number")
  const duration = (name: GitSyncOptionName) => parsed(name, parseGoDuration, "a duration such as 10s")

  return {
    text,
    number,
    duration,
    isGiven: (name: GitSyncOptionName) => given.has(name),
    flag: (name: GitSyncOptionName) => text(name) !== "" && parsed(name, parseGoBool, "true or false"),
    list: (name: GitSyncOptionName) =>
      given.get(name)?.values ?? (optionOf(name).default === undefined ? [] : [optionOf(name).default ?? ""]),
    path: (name: GitSyncOptionName, root: string) =>
      text(name) === "" ? undefined : resolve(root, text(name)),
    choice<T extends string>(name: GitSyncOptionName, choices: readonly T[]): T {
      return parsed(name, (given) => choices.find((each) => each === given), choices.join(", "))
    },
    /** An older option, in seconds, where it is given; otherwise the newer one. In milliseconds. */
    first(older: GitSyncOptionName, newer: GitSyncOptionName): number {
      const old = Number(text(older) || "0")
      if (Number.isNaN(old)) throw bad(`${nameOf(older)} is ${JSON.stringify(text(older))}, expected seconds`)
      return old > 0 ? Math.trunc(old * 1000) : duration(newer)
    },
    hook(command: string, name: "exechook" | "prePublishExechook"): HookSettings | undefined {
      if (command === "") return undefined
      const timeout = atLeast(nameOf(`${name}Timeout`), duration(`${name}Timeout`), LEAST_HOOK_WAIT)
      const backoff = atLeast(nameOf(`${name}Backoff`), duration(`${name}Backoff`), LEAST_HOOK_WAIT)
      return { command, timeout, backoff }
    },
  }
}

function refOf(read: Values): string {
  const [branch, rev] = [read.text("branch"), read.text("rev")]
  if (branch !== "" && rev !== "" && rev !== "HEAD") {
    throw bad("--branch and --rev are given together", "Give --ref in their place.")
  }
  return branch || rev || read.text("ref")
}

function webhookOf(read: Values): WebhookSettings | undefined {
  const url = read.text("webhookUrl")
  if (url === "") return undefined
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
    throw bad(
      "--webhook-url is no http:// or https:// URL",
      "Give a whole URL, such as http://localhost:9090/-/reload.",
    )
  }
  const status = read.number("webhookSuccessStatus")
  if (status < -1)
    throw bad("--webhook-success-status must be an HTTP status or 0", "Give 200, or 0 for any answer.")
  return {
    url,
    method: read.text("webhookMethod"),
    status: status <= 0 ? undefined : status,
    timeout: atLeast("--webhook-timeout", read.duration("webhookTimeout"), LEAST_HOOK_WAIT),
    backoff: atLeast("--webhook-backoff", read.duration("webhookBackoff"), LEAST_HOOK_WAIT),
  }
}

function githubAppOf(read: Values): GithubAppSettings | undefined {
  const application = read.number("githubAppApplicationId")
  const client = read.text("githubAppClientId")
  const installation = read.number("githubAppInstallationId")
  const [privateKey, privateKeyFile] = [
    read.text("githubAppPrivateKey"),
    read.text("githubAppPrivateKeyFile"),
  ]
  if (application === 0 && client === "") {
    if (installation === 0) return undefined
    throw bad("--github-app-installation-id needs --github-app-application-id or --github-app-client-id")
  }
  if (application !== 0 && client !== "")
    throw bad("only one of --github-app-application-id and --github-app-client-id can be given")
  if (installation === 0) throw bad("a GitHub App needs --github-app-installation-id")
  if ((privateKey === "") === (privateKeyFile === "")) {
    throw bad("a GitHub App needs one of GITSYNC_GITHUB_APP_PRIVATE_KEY and --github-app-private-key-file")
  }
  if (read.text("username") !== "") throw bad("--username and a GitHub App are given together")
  return {
    apiUrl: read.text("githubBaseUrl"),
    issuer: client || String(application),
    installation,
    privateKey: privateKey || undefined,
    privateKeyFile: privateKeyFile || undefined,
  }
}

/** The credentials of all sources, those of --repo first, and the repository's URL without any. */
function credentialsOf(read: Values, repo: string): { url: string; credentials: GitCredential[] } {
  const listed = read
    .list("credential")
    .filter((text) => text !== "")
    .flatMap(parseCredentials)
  const username = read.text("username")
  const password = read.text("password") || read.text("passwordVariable")
  const passwordFile = read.text("passwordFile")
  const parsed = /^https?:/i.test(repo) ? URL.parse(repo) : null
  if (username === "") {
    if (password !== "") throw bad("GITSYNC_PASSWORD needs --username")
    if (passwordFile !== "") throw bad("--password-file needs --username")
    if (!parsed?.username && !parsed?.password) return { url: repo, credentials: listed }
    const own = {
      username: decodeURIComponent(parsed.username),
      password: decodeURIComponent(parsed.password),
    }
    parsed.username = ""
    parsed.password = ""
    return { url: parsed.href, credentials: [{ url: parsed.href, ...own }, ...listed] }
  }
  if (parsed?.username || parsed?.password)
    throw bad("--repo carries credentials and --username is given", "Remove one of them.")
  if ((password === "") === (passwordFile === "")) {
    throw bad("--username needs one of GITSYNC_PASSWORD and --password-file")
  }
  const secret = passwordFile === "" ? { password } : { passwordFile }
  return { url: repo, credentials: [{ url: repo, username, ...secret }, ...listed] }
}

function parseCredentials(text: string): GitCredential[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    // The text is not shown: it may hold a password.
    throw bad("--credential is no JSON", CREDENTIAL_HINT)
  }
  return (Array.isArray(parsed) ? parsed : [parsed]).map(parseCredential)
}

const CREDENTIAL_HINT =
  'Give {"url": "https://example.com", "username": "me", "password-file": "/creds/me"}, or a list of such.'
const CREDENTIAL_KEYS = ["url", "username", "password", "password-file"]

function parseCredential(given: unknown): GitCredential {
  if (typeof given !== "object" || given === null) throw bad("--credential is no object", CREDENTIAL_HINT)
  const fields = new Map(Object.entries(given))
  const unknown = [...fields.keys()].find((key) => !CREDENTIAL_KEYS.includes(key))
  if (unknown !== undefined)
    throw bad(`--credential has no field ${JSON.stringify(unknown)}`, CREDENTIAL_HINT)
  const [url, username, password, passwordFile] = CREDENTIAL_KEYS.map((key) => String(fields.get(key) ?? ""))
  if (!url || !username) throw bad("--credential needs url and username", CREDENTIAL_HINT)
  if (!password === !passwordFile)
    throw bad("--credential needs one of password and password-file", CREDENTIAL_HINT)
  return { url, username, ...(passwordFile ? { passwordFile } : { password }) }
}

/** A signal by its name, with or without SIG, or by its number. */
function signalOf(text: string): NodeJS.Signals | undefined {
  if (text === "") return undefined
  const byNumber = parseGoInt(text)
  const wanted = text.toUpperCase()
  const found = Object.entries(constants.signals).find(
    ([name, value]) => name === wanted || name === `SIG${wanted}` || value === byNumber,
  )
  if (found !== undefined) return found[0] as NodeJS.Signals
  throw bad(
    `--sync-on-signal is ${JSON.stringify(text)}, which is no signal`,
    "Give a name such as SIGHUP, or its number.",
  )
}

/** The last part of the repository's path, as git-sync names its link. */
function leafOf(repo: string): string {
  return (
    repo
      .replace(/^\/+|\/+$/g, "")
      .split("/")
      .at(-1) ?? ""
  )
}

function atLeast(name: string, value: number, least: number): number {
  if (value >= least) return value
  const shown =
    least >= 1000 ? `${least / 1000}s` : name === "--depth" || least === 0 ? String(least) : `${least}ms`
  throw bad(`${name} must be at least ${shown}`, `Give ${shown} or more.`)
}

function bad(message: string, hint = "See headrace-agent git-sync --help."): UsageError {
  return new UsageError("git-sync/bad-option", message, { hint })
}
