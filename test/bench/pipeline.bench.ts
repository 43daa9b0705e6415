import { rm } from "node:fs/promises"
import { join } from "node:path"
import { DEFAULTS } from "@headrace/config/local/local-settings"
import { createSampleRepository, SAMPLE } from "@headrace/config/local/sample-repository"
import { mergedPullRequest, sendWebhook } from "@headrace/config/local/signed-webhook"
import { type LocalPipeline, startLocal } from "@headrace/config/local/start-local"
import { temporaryFolder } from "@headrace/config/local/temporary-folder"
import { watchTimeline } from "@headrace/config/local/timeline"
import { procUsage } from "../harness/proc-usage.ts"
import { type Sent, stagesOfLogs } from "./pipeline/stages-of-logs.ts"
import { quantile } from "./quantile.ts"

const WARM_UP = 5
const MERGES = 100
/** The plugin's idle time before it collects its heap, and some more. */
const IDLE_MS = 12_000

export const goals = {
  "webhook to published, p50 ms": 50,
  "webhook to published, p99 ms": 110,
  "plugin idle, resident MB": 120,
  "agent idle, resident MB": 60,
}

/**
 * Webhook to published on disk, as seen from outside and, stage by stage, as the programs log it; and what the programs
 * weigh when idle.
 */
export async function run(): Promise<Record<string, number>> {
  const folder = temporaryFolder("headrace-bench-")
  const repository = await createSampleRepository(join(folder, "repository"))
  const pipeline = await startLocal({
    repo: repository.folder,
    branch: SAMPLE.branch,
    rules: SAMPLE.rules,
    repository: SAMPLE.repository,
    target: join(folder, "node"),
    pollSeconds: 600,
    port: 0,
  })
  try {
    await pipeline.waitForProjection()
    return { ...(await measure(pipeline, repository)), ...(await idleMemory(pipeline)) }
  } finally {
    await pipeline.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function measure(
  pipeline: LocalPipeline,
  repository: Awaited<ReturnType<typeof createSampleRepository>>,
): Promise<Record<string, number>> {
  const cluster = pipeline.clusters.get(DEFAULTS.cluster)
  const [hook] = pipeline.hooks
  if (!cluster || !hook) throw new Error("the pipeline came up without its cluster")
  const timeline = await watchTimeline(cluster, DEFAULTS.namespace, SAMPLE.changed.configMap)
  const commits = new Map<string, Sent>()
  const stages: Record<string, number[]> = { accepted: [], written: [], recorded: [], published: [] }
  for (let merge = 1; merge <= WARM_UP + MERGES; merge++) {
    const commit = await repository.mergeChange(merge, `${merge}h`)
    const sent = performance.now()
    const sentAt = Date.now()
    const status = await sendWebhook(hook, "pull_request", mergedPullRequest(hook, commit, merge))
    if (status >= 300) throw new Error(`the plugin answered ${status}`)
    stages.accepted?.push(performance.now() - sent)
    const recorded = await timeline.recorded(commit)
    stages.written?.push((await timeline.written(commit)) - sent)
    stages.recorded?.push(recorded.at - sent)
    stages.published?.push((await timeline.published(commit)) - sent)
    if (merge > WARM_UP) commits.set(commit, { sent: sentAt, recorded: sentAt + recorded.at - sent })
  }
  timeline.close()
  const seen = Object.entries(stages).map(([stage, values]) => [`webhook to ${stage}`, values.slice(WARM_UP)])
  const logged = [...stagesOfLogs(join(pipeline.stateFolder, "logs"), commits)].map(([stage, values]) => [
    `stage ${stage}`,
    values,
  ])
  return Object.fromEntries(
    ([...seen, ...logged] as [string, number[]][]).flatMap(([stage, values]) => [
      [`${stage}, p50 ms`, quantile(values, 0.5)],
      [`${stage}, p99 ms`, quantile(values, 0.99)],
    ]),
  )
}

async function idleMemory(pipeline: LocalPipeline): Promise<Record<string, number>> {
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
  const agent = pipeline.clusters.get(DEFAULTS.cluster)?.agent
  return {
    "plugin idle, resident MB": procUsage(pipeline.plugins[0]?.pid).residentMegabytes,
    "agent idle, resident MB": procUsage(agent?.pid).residentMegabytes,
  }
}
