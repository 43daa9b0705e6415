import { constants, existsSync } from "node:fs"
import { access } from "node:fs/promises"
import { basename, isAbsolute, resolve, sep } from "node:path"
import { flag } from "@headrace/shared/command-line/flag"
import { addExamples } from "@headrace/shared/command-line/help"
import { paintFor } from "@headrace/shared/command-line/paint"
import { createProgram } from "@headrace/shared/command-line/program"
import { systemClock } from "@headrace/shared/foundation/clock"
import { errorText, HeadraceError, UsageError } from "@headrace/shared/foundation/errors"
import { escapeLines } from "@headrace/shared/foundation/escape-text"
import { makeFolder } from "@headrace/shared/foundation/make-folder"
import { canWait, readDuration } from "@headrace/shared/foundation/read-units"
import { type Command, InvalidArgumentError } from "commander"
import { rulesPathInRepository } from "./preflight/check-rules.ts"
import { preflight } from "./preflight/preflight.ts"
import type { LocalPipeline } from "./start-local.ts"

interface UpFlags {
  repo: string
  branch: string
  rules: string
  target: string
  /** Milliseconds. */
  poll: number
  port: number
  state?: string
  guard: boolean
  repository?: string
}

const paint = paintFor(process.stdout)
const NO_RULES =
  "For a repository without rules, npm run -s bootstrapper -- init --source-path FOLDER proposes some."
const DEFAULT_POLL_MS = 1000
const LOOK_MS = 500
const SETTLE_MS = 100
const REDIS_LOOK_MS = 2000
const REDIS_LIMIT_MS = 10_000
const LAST_PORT = 65_535
/** Mode of a folder that only its owner enters. */
const PRIVATE = 0o700

/** The command line of `npm run up`. */
export function createUpProgram(signal: AbortSignal): Command {
  const program = createProgram("npm run up --", import.meta.url)
    .description("Runs the whole pipeline on this machine, on your own repository, until it is stopped.")
    .addOption(flag("--repo <path-or-url>", "the repository to follow").needed())
    .addOption(flag("--branch <name>", "the branch to follow").needed())
    .addOption(
      flag("--rules <path>", "path of the rules (Prow's plugins.yaml) in the repository")
        .needed()
        .orElse(NO_RULES),
    )
    .addOption(flag("--target <folder>", "folder that gets CLUSTER/NAMESPACE/CONFIGMAP/KEY").needed())
    .addOption(
      flag("--poll <duration>", "how often to look at the branch without a webhook: 5s, or 5 for seconds")
        .argParser(readPoll)
        .default(DEFAULT_POLL_MS, "1s"),
    )
    .addOption(
      flag("--port <number>", "port of the webhook endpoint; 0 picks one")
        .argParser(readPort)
        .default(0, "0"),
    )
    .addOption(
      flag(
        "--state <folder>",
        "folder for settings, mirrors and logs; without it one that is removed at the end",
      ),
    )
    .addOption(
      flag("--guard", "stop before a commit deletes much, as in a deployment, until approve").default(false),
    )
    .addOption(
      flag("--repository <org/name>", "what webhooks call the repository; without it taken from --repo"),
    )
    .action((flags: UpFlags) => up(flags, signal))
  return addExamples(program, [
    "npm run up -- --repo ../my-config --branch main \\\n    --rules config/prow/plugins.yaml --target /tmp/node",
    "npm run up -- --repo https://github.com/my-org/config --branch main \\\n    --rules plugins.yaml --target /tmp/node --poll 30s --guard",
  ])
}

/** Looks for what is in the way before it loads the pipeline: the culprit is named within a second. */
async function up(flags: UpFlags, signal: AbortSignal): Promise<void> {
  const repo = existsSync(flags.repo) ? resolve(flags.repo) : flags.repo
  const target = resolve(flags.target)
  const rules = rulesPathInRepository(repo, flags.rules)
  refuseInside(repo, target)
  const state = flags.state === undefined ? undefined : await stateFolder(flags.state)
  const redisUrl = process.env.REDIS_URL || undefined
  const release = await preflight({ target, state, port: flags.port, redisUrl })
  try {
    say(paint.dim("starting redis, API servers, plugin and agents on loopback…"))
    const { startLocal } = await import("./start-local.ts")
    const pipeline = await startLocal({
      repo,
      branch: flags.branch,
      rules,
      target,
      pollSeconds: flags.poll / 1000,
      port: flags.port,
      guard: flags.guard,
      repository: flags.repository ?? repositoryName(repo),
      ...(state === undefined ? {} : { stateFolder: state }),
      signal,
    })
    try {
      await pipeline.waitForProjection()
      describe(pipeline, target, flags.guard)
      await Promise.all([
        followClusters(pipeline, flags.poll, signal),
        followCommits(pipeline, signal),
        followRedis(pipeline, signal),
      ])
    } finally {
      say(paint.dim("stopping…"))
      await pipeline.close()
    }
  } finally {
    await release()
  }
}

/** New rules may name new clusters, and what is merged may not be writable: looks for both until stopped. */
async function followClusters(pipeline: LocalPipeline, poll: number, signal: AbortSignal): Promise<void> {
  const { clusterTroubles } = await import("./cluster-troubles.ts")
  let reported: string[] = []
  while (!signal.aborted) {
    await systemClock.sleep(poll, signal).catch(() => undefined)
    if (signal.aborted) return
    const now = await pipeline.addNewClusters().then(
      () => clusterTroubles(pipeline.clusters.values(), pipeline.operatorSettingsFile),
      (error: unknown) => [troubleText(error)],
    )
    // Ctrl-C reaches a git that is at work, too: its failure is no news.
    await systemClock.sleep(SETTLE_MS, signal).catch(() => undefined)
    if (signal.aborted) return
    sayTroubles(now, reported, "all is fine again")
    reported = now
  }
}

/** Says why lanes cannot be used, once, and when they can again. */
async function followRedis(pipeline: LocalPipeline, signal: AbortSignal): Promise<void> {
  const { checkRedis } = await import("@headrace/shared/lanes/check-redis")
  const direct = `npm run -s bootstrapper -- apply --direct --config ${pipeline.operatorSettingsFile}`
  let reported: string[] = []
  while (!signal.aborted) {
    await systemClock.sleep(REDIS_LOOK_MS, signal).catch(() => undefined)
    if (signal.aborted) return
    const now = await checkRedis(pipeline.redisUrl, REDIS_LIMIT_MS).then(
      () => [],
      (error: unknown) => [`${troubleText(error)}\n  until then: ${direct}`],
    )
    if (signal.aborted) return
    sayTroubles(now, reported, "Redis takes wake-ups again")
    reported = now
  }
}

function sayTroubles(now: readonly string[], reported: readonly string[], over: string): void {
  for (const trouble of now) if (!reported.includes(trouble)) say(paint.yellow(escapeLines(trouble)))
  if (reported.length > 0 && now.length === 0) say(paint.green(over))
}

function troubleText(error: unknown): string {
  const hint = error instanceof HeadraceError ? error.hint : undefined
  return hint === undefined ? errorText(error) : `${errorText(error)}\n  ${hint}`
}

/** A line for each commit, once disk shows it. */
async function followCommits(pipeline: LocalPipeline, signal: AbortSignal): Promise<void> {
  const { createPublishedCommits } = await import("./published-commits.ts")
  const newCommits = createPublishedCommits()
  while (!signal.aborted) {
    const published = await newCommits(pipeline.clusters.values()).catch(() => [])
    for (const { cluster, commit, projections } of published) {
      const moved = projections === 0 ? "nothing to move" : `${projections} moved`
      say(
        `${new Date(systemClock.now()).toISOString()} published ${commit.slice(0, 12)} in ${cluster}: ${moved}`,
      )
    }
    await systemClock.sleep(LOOK_MS, signal).catch(() => undefined)
  }
}

function describe(pipeline: LocalPipeline, target: string, guard: boolean): void {
  const [hook] = pipeline.hooks
  say(`${paint.green("up")}: ${target} shows the branch; commit to it and watch`)
  for (const cluster of pipeline.clusters.values())
    say(`  ${cluster.folder}   API server ${cluster.kube.url}`)
  if (hook) {
    say(
      `  webhooks   ${hook.url}   repository ${hook.repository}, secret in ${pipeline.stateFolder}/webhook-secret`,
    )
  }
  say(`  logs       ${pipeline.stateFolder}/logs`)
  say(`  look       npm run -s bootstrapper -- status --config ${pipeline.operatorSettingsFile}`)
  if (!guard)
    say("  guard      off: a commit that deletes much goes through; --guard makes it wait for approve")
  say("  stop with Ctrl-C")
}

/** What is shown in the repository would be among its files, for the next commit to take. */
function refuseInside(repo: string, target: string): void {
  if (!isAbsolute(repo) || !target.startsWith(`${repo}${sep}`)) return
  throw new UsageError("local/target", `the target ${target} is inside of the repository that it shows`, {
    hint: "Give --target a folder outside of it.",
  })
}

/** It holds the webhook's secret and kubeconfigs. Throws UsageError `local/state`. */
async function stateFolder(given: string): Promise<string> {
  const folder = resolve(given)
  try {
    await makeFolder(folder, PRIVATE)
    await access(folder, constants.W_OK)
    return folder
  } catch (cause) {
    throw new UsageError("local/state", `the state folder ${folder} cannot be made or written`, {
      hint: "Give --state a folder of your own, or leave it out.",
      cause,
    })
  }
}

/** ORG/NAME from a URL's last two parts; a local path is `local/NAME`. */
function repositoryName(repo: string): string {
  const name = basename(repo).replace(/\.git$/, "")
  if (isAbsolute(repo)) return `local/${name}`
  const org = repo.replace(/\/?[^/]*$/, "").match(/([^/:]+)$/)?.[1]
  return `${org ?? "local"}/${name}`
}

/** `5s`, `500ms`, or a number of seconds, in milliseconds. */
function readPoll(text: string): number {
  const poll = /^\d+(\.\d+)?$/.test(text) ? Math.round(Number(text) * 1000) : readDuration(text)
  if (poll !== undefined && canWait(poll)) return poll
  throw new InvalidArgumentError("Give a duration such as 5s or 1m, or a number of seconds above 0.")
}

function readPort(text: string): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= LAST_PORT) return port
  throw new InvalidArgumentError(`Give a number from 0 to ${LAST_PORT}.`)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
