import { constants } from "node:os"
import { resolve } from "node:path"
import { parseGitConfigPairs } from "./git-config-pairs.ts"
import type { GitCredential } from "./git-credentials.ts"
import { atLeast, badOption, type GivenValues, valuesOf } from "./given-values.ts"
import { type HookSettings, hookOf, type WebhookSettings, webhookOf } from "./hook-settings.ts"
import { credentialsOf, type GithubAppSettings, githubAppOf } from "./login-settings.ts"
import { parseGoInt } from "./parse-go-values.ts"
import type { GivenOptions } from "./read-git-sync-options.ts"

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
/** signal(7). */
const UNCATCHABLE = ["SIGKILL", "SIGSTOP"]
/** From this verbosity on git-sync logs the sync loop. */
const DEBUG_VERBOSITY = 3

/** Checks options as git-sync does. Throws UsageError `git-sync/bad-option` that names the option. */
export function gitSyncSettings(options: GivenOptions): GitSyncSettings {
  const read = valuesOf(options)
  const given = { repo: read.text("repo"), root: read.text("root") }
  if (given.repo === "")
    throw badOption("--repo is required", "Give the repository, such as --repo=https://example.com/a/b.")
  if (given.root === "")
    throw badOption("--root is required", "Give the folder to keep everything in, such as --root=/git.")
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
    exechook: hookOf(read, read.text("syncHookCommand") || read.text("exechookCommand"), "exechook"),
    prePublishHook: hookOf(read, read.text("prePublishExechookCommand"), "prePublishExechook"),
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

function loopOf(read: GivenValues): LoopSettings {
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

function portOf(read: GivenValues): Pick<GitSyncSettings, "httpBind" | "httpMetrics"> {
  const httpBind = read.text("httpBind") || undefined
  const httpMetrics = read.flag("httpMetrics")
  if (httpBind === undefined && (httpMetrics || read.flag("httpPprof"))) {
    throw badOption("--http-metrics and --http-pprof need --http-bind", "Give --http-bind=:1234.")
  }
  return { httpBind, httpMetrics }
}

function verbosity(read: GivenValues): number {
  return read.isGiven("v") ? read.number("v") : read.number("verbose")
}

function refOf(read: GivenValues): string {
  const [branch, rev] = [read.text("branch"), read.text("rev")]
  if (branch !== "" && rev !== "" && rev !== "HEAD") {
    throw badOption("--branch and --rev are given together", "Give --ref in their place.")
  }
  const ref = branch || rev || read.text("ref")
  if (ref === "")
    throw badOption("--ref is required", "Give a branch, a tag or a commit id; HEAD is the default.")
  return ref
}

/** A signal by its name, with or without SIG, or by its number. */
function signalOf(text: string): NodeJS.Signals | undefined {
  if (text === "") return undefined
  const byNumber = parseGoInt(text)
  const wanted = text.toUpperCase()
  const found = Object.entries(constants.signals).find(
    ([name, value]) => name === wanted || name === `SIG${wanted}` || value === byNumber,
  )
  if (found !== undefined && !UNCATCHABLE.includes(found[0])) return found[0] as NodeJS.Signals
  throw badOption(
    `--sync-on-signal is ${JSON.stringify(text)}, which is no signal that can be caught`,
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
