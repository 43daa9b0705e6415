import { setTimeout as delay } from "node:timers/promises"
import { push, sendWebhook } from "@headrace/config/local/signed-webhook"
import { DeliveryOutcome } from "@headrace/plugin/deliveries/answer-deliveries"
import { runBootstrapperProcess } from "../harness/run-bootstrapper.ts"
import { until } from "../harness/until.ts"
import { contentAfter } from "./burst-branch.ts"
import { type BurstCluster, type Site, withSite } from "./burst-site.ts"
import { type LaneRuns, laneRuns } from "./lane-runs.ts"

const STEADY = ["steady01", "steady02"]
const FLAPPING = "flapping"
const DOWN = "down"
const CLUSTERS = [...STEADY, FLAPPING, DOWN]
const AT_ONCE = 40
const FLAP_MS = 300
const CATCH_UP_LIMIT_MS = 300_000

export interface BurstResult {
  merges: number
  /** Deliveries by the status they were answered with. */
  answers: Record<string, number>
  sendMilliseconds: number
  /** From the last answer until both steady clusters' records showed the tip. */
  lagMilliseconds: number
  /** Of each lane, until the cluster that was down came back. */
  reconciles: Record<string, LaneRuns>
  /** Reconciles with an effect that this cluster then needed for all merges. */
  catchUpReconciles: number
  catchUpMilliseconds: number
  /** Exit code of the `apply` for the steady clusters that ran in the midst. */
  bootstrapperExit: number
  redisKeys: number
  /** Keys that are not below this installation's prefix. */
  foreignKeys: string[]
  redisBytes: number
  /** Most that a plugin held. */
  residentBytes: number
  /** Deliveries that lack the outcome "written" in some cluster, at the end. */
  unanswered: number
  /** Clusters whose ConfigMaps are not, key by key, what the tip holds. */
  wrong: string[]
}

/**
 * Sends `merges` webhooks as fast as two plugins take them, each for a commit that the branch was just moved to,
 * with a bootstrapper applying in the midst, one of four clusters coming and going, and one away until the end.
 */
export function mergeBurst(merges: number): Promise<BurstResult> {
  return withSite(CLUSTERS, [...STEADY, FLAPPING], merges, (site) => burst(merges, site))
}

async function burst(merges: number, site: Site): Promise<BurstResult> {
  await until(() => shownBy(site, STEADY, undefined))
  const stop = new AbortController()
  const flapping = flap(clusterNamed(site, FLAPPING), stop.signal)
  const applying = applyInTheMidst(site)

  const start = performance.now()
  const answers = await sendMerges(merges, site)
  const sent = performance.now()
  await until(() => shownBy(site, STEADY, site.branch.commits[merges - 1]), CATCH_UP_LIMIT_MS)
  const shown = performance.now()
  stop.abort()
  await flapping
  const bootstrapperExit = await applying
  const reconciles = laneRuns(site.plugins, CLUSTERS)

  await clusterNamed(site, DOWN).set("up")
  const back = performance.now()
  // The next merge wakes it; its own retry would, within a minute.
  const last = site.branch.commits[merges] ?? ""
  await site.branch.moveTo(last)
  await send(site, merges, last)
  await until(() => shownBy(site, CLUSTERS, last), CATCH_UP_LIMIT_MS)
  const caughtUp = performance.now()
  await until(async () => (await unanswered(site, merges)) === 0, CATCH_UP_LIMIT_MS).catch(() => undefined)
  return {
    merges,
    answers,
    sendMilliseconds: Math.round(sent - start),
    lagMilliseconds: Math.round(shown - sent),
    reconciles,
    catchUpReconciles: laneRuns(site.plugins, [DOWN])[DOWN]?.applied ?? 0,
    catchUpMilliseconds: Math.round(caughtUp - back),
    bootstrapperExit,
    redisKeys: await site.lanes.redis.dbsize(),
    foreignKeys: (await site.lanes.redis.keys("*")).filter((key) => !key.startsWith(site.lanes.key(""))),
    redisBytes: Number(/used_memory:(\d+)/.exec(await site.lanes.redis.info("memory"))?.[1]),
    residentBytes: Math.max(...site.plugins.map((plugin) => plugin.resident())),
    unanswered: await unanswered(site, merges),
    wrong: await wrongClusters(site, merges + 1),
  }
}

async function sendMerges(merges: number, site: Site): Promise<Record<string, number>> {
  const answers: Record<string, number> = {}
  let next = 0
  let moved = Promise.resolve()
  async function sender(): Promise<void> {
    while (next < merges) {
      const number = next++
      const commit = site.branch.commits[number] ?? ""
      moved = moved.then(() => site.branch.moveTo(commit))
      await moved
      const status = String(await send(site, number, commit))
      answers[status] = (answers[status] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, sender))
  return answers
}

/** As GitHub, whose failed delivery somebody sends again. */
async function send(site: Site, number: number, commit: string): Promise<number> {
  const plugin = site.plugins[number % site.plugins.length]
  if (plugin === undefined) throw new Error("no plugin runs")
  const body = push(plugin.hook, site.branch.commits[number - 1] ?? "", commit)
  const status = await sendWebhook(plugin.hook, "push", body, guid(number))
  if (status === 503) await sendWebhook(plugin.hook, "push", body, guid(number))
  return status
}

async function flap(cluster: BurstCluster, signal: AbortSignal): Promise<void> {
  for (let state: "up" | "down" = "down"; !signal.aborted; state = state === "up" ? "down" : "up") {
    await cluster.set(state)
    await delay(FLAP_MS, undefined, { signal }).catch(() => undefined)
  }
  await cluster.set("up")
}

async function applyInTheMidst({ config }: Site): Promise<number> {
  const { code, stdout, stderr } = await runBootstrapperProcess([
    "apply",
    "--config",
    config,
    "--cluster",
    ...STEADY,
  ])
  if (code !== 0) process.stderr.write(`${stdout}${stderr}`)
  return code
}

/** True when the records of these clusters are at the commit; at any, when it is undefined. */
async function shownBy(
  site: Site,
  clusters: readonly string[],
  commit: string | undefined,
): Promise<boolean> {
  const records = clusters.map((cluster) => clusterNamed(site, cluster).read("headrace", "release"))
  const texts = (await Promise.all(records)).map((data) => data?.["record.json"] ?? "")
  return texts.every((text) => text !== "" && (commit === undefined || JSON.parse(text).commit === commit))
}

async function unanswered({ lanes }: Site, merges: number): Promise<number> {
  let count = 0
  for (let number = 0; number < merges; number++) {
    const fields = CLUSTERS.map((cluster) => `outcome/${cluster}/release`)
    const outcomes = await lanes.redis.hmget(lanes.key("delivery", guid(number)), ...fields)
    const written = outcomes.every(
      (text) => text !== null && DeliveryOutcome.parse(JSON.parse(text)).state === "written",
    )
    if (!written) count++
  }
  return count
}

async function wrongClusters(site: Site, merges: number): Promise<string[]> {
  const wrong: string[] = []
  for (const [name, cluster] of site.clusters) {
    for (const [target, content] of contentAfter(merges)) {
      const { VERSION: _, ...held } = (await cluster.read("ci", target)) ?? {}
      const same = Object.entries(content).every(([key, text]) => held[key] === text)
      if (!same || Object.keys(held).length !== Object.keys(content).length) wrong.push(`${name}/${target}`)
    }
  }
  return wrong
}

function clusterNamed(site: Site, name: string): BurstCluster {
  const cluster = site.clusters.get(name)
  if (cluster === undefined) throw new Error(`no cluster ${name}`)
  return cluster
}

function guid(number: number): string {
  return `merge-${number}`
}
