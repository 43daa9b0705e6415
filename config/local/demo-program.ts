import { readdir, readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import { flag } from "@headrace/shared/command-line/flag"
import { addExamples } from "@headrace/shared/command-line/help"
import { paintFor } from "@headrace/shared/command-line/paint"
import { createProgram } from "@headrace/shared/command-line/program"
import { systemClock } from "@headrace/shared/foundation/clock"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { Command } from "commander"
import { DEFAULTS } from "./local-settings.ts"
import { createSampleRepository, SAMPLE, type SampleRepository } from "./sample-repository.ts"
import { type Hook, mergedPullRequest, sendWebhook } from "./signed-webhook.ts"
import type { LocalPipeline } from "./start-local.ts"
import { temporaryFolder } from "./temporary-folder.ts"

const paint = paintFor(process.stderr)
const PULL_REQUEST = 7
const NEW_INTERVAL = "12h"

/** The command line of `npm run demo`. */
export function createDemoProgram(signal: AbortSignal): Command {
  const program = createProgram("npm run demo --", import.meta.url)
    .description(
      "Shows the main job on this machine: a merged pull request becomes a changed file on a node's disk.",
    )
    .addOption(flag("--keep", "leave it up until Ctrl-C, and say what to try").default(false))
    .addOption(flag("--json", "print the timeline as one JSON object, last").default(false))
    .action((flags: DemoFlags) => inFolder(flags, signal))
  return addExamples(program, [
    "npm run demo",
    "npm run demo -- --keep",
    "npm run -s demo -- --json | jq .published_ms",
  ])
}

interface DemoFlags {
  keep: boolean
  json: boolean
}

async function inFolder(flags: DemoFlags, signal: AbortSignal): Promise<void> {
  const folder = temporaryFolder("headrace-demo-")
  try {
    await demo(folder, flags, signal)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function demo(folder: string, flags: DemoFlags, signal: AbortSignal): Promise<void> {
  say(paint.bold("Headrace: from a merge to a node's disk"))
  const repository = await createSampleRepository(join(folder, "repository"))
  const target = join(folder, "node")
  const { startLocal } = await import("./start-local.ts")
  const pipeline = await startLocal({
    repo: repository.folder,
    branch: SAMPLE.branch,
    rules: SAMPLE.rules,
    repository: SAMPLE.repository,
    target,
    pollSeconds: 30,
    port: 0,
    signal,
  })
  try {
    await pipeline.waitForProjection()
    say(`up: redis, ${pipeline.clusters.size} API server, plugin, agent; first projection done`)
    const result = await mergeAndWatch(repository, pipeline)
    if (flags.keep) await keepUp(repository, target, pipeline, signal)
    if (flags.json) process.stdout.write(`${JSON.stringify(result)}\n`)
  } finally {
    await pipeline.close()
  }
}

interface DemoResult {
  revision: string
  seq: number
  accepted_ms: number
  written_ms: number
  recorded_ms: number
  published_ms: number
  /** Files of the projection that the change altered. */
  files: number
}

/** Merges a pull request, notifies the plugin by a signed webhook, and times each stage as seen from outside. */
async function mergeAndWatch(repository: SampleRepository, pipeline: LocalPipeline): Promise<DemoResult> {
  const cluster = pipeline.clusters.get(DEFAULTS.cluster)
  const [hook] = pipeline.hooks
  if (!cluster || !hook)
    throw new HeadraceError("demo/incomplete", "the pipeline came up without its cluster")
  const projection = join(cluster.folder, DEFAULTS.namespace, SAMPLE.changed.configMap)
  const file = join(projection, SAMPLE.changed.key)
  const before = await readFolder(projection)
  const { watchTimeline } = await import("./timeline.ts")
  const timeline = await watchTimeline(cluster, DEFAULTS.namespace, SAMPLE.changed.configMap)
  try {
    const commit = await repository.mergeChange(PULL_REQUEST, NEW_INTERVAL)
    say(`pull request #${PULL_REQUEST} merged as ${commit.slice(0, 12)}\n`)
    const sent = performance.now()
    await deliver(hook, commit)
    const accepted = performance.now()
    const [written, recorded, published] = await Promise.all([
      timeline.written(commit),
      timeline.recorded(commit),
      timeline.published(commit),
    ])
    const result = {
      revision: commit,
      seq: recorded.seq,
      accepted_ms: round(accepted - sent),
      written_ms: round(written - sent),
      recorded_ms: round(recorded.at - sent),
      published_ms: round(published - sent),
      files: changedFiles(before, await readFolder(projection)),
    }
    printTimeline(result, file, before.get(SAMPLE.changed.key) ?? "", await readFile(file, "utf8"))
    return result
  } finally {
    timeline.close()
  }
}

async function deliver(hook: Hook, commit: string): Promise<void> {
  const status = await sendWebhook(hook, "pull_request", mergedPullRequest(hook, commit, PULL_REQUEST))
  if (status >= 300) throw new HeadraceError("demo/refused", `the plugin answered the webhook with ${status}`)
}

function printTimeline(result: DemoResult, file: string, before: string, after: string): void {
  const row = (ms: number, stage: string, what: string) =>
    say(`  ${paint.cyan(`${ms.toFixed(1).padStart(8)} ms`)}  ${stage.padEnd(10)} ${paint.dim(what)}`)
  row(0, "sent", "signed pull_request webhook")
  row(result.accepted_ms, "accepted", "wake-up in the cluster's lane")
  row(result.written_ms, "written", `ConfigMap ${DEFAULTS.namespace}/${SAMPLE.changed.configMap}`)
  row(result.recorded_ms, "recorded", `seq ${result.seq}: this swap is the commit`)
  row(result.published_ms, "published", "durable, one rename")
  say(`\n${file}`)
  const old = new Set(before.split("\n"))
  const now = new Set(after.split("\n"))
  for (const line of old) if (!now.has(line)) say(paint.red(`- ${line}`))
  for (const line of now) if (!old.has(line)) say(paint.green(`+ ${line}`))
}

async function keepUp(
  repository: SampleRepository,
  target: string,
  pipeline: LocalPipeline,
  signal: AbortSignal,
): Promise<void> {
  say(`\nIt stays up until Ctrl-C. Try:
  cd ${repository.folder} && $EDITOR ${SAMPLE.changed.path} && git commit -am "a change"
  find ${target}
  npm run -s bootstrapper -- status --config ${pipeline.operatorSettingsFile}`)
  while (!signal.aborted) await systemClock.sleep(1000, signal).catch(() => undefined)
}

async function readFolder(folder: string): Promise<Map<string, string>> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith(".."))
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), "utf8")] as const)),
  )
}

function changedFiles(before: Map<string, string>, after: Map<string, string>): number {
  const names = new Set([...before.keys(), ...after.keys()])
  return [...names].filter((name) => before.get(name) !== after.get(name)).length
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10
}

/** For people: on standard error, so that --json has standard output to itself. */
function say(text: string): void {
  process.stderr.write(`${text}\n`)
}
