import { setTimeout as delay } from "node:timers/promises"
import { applyThroughLanes } from "@headrace/bootstrapper/commands/apply-through-lanes"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import { createLog } from "@headrace/shared/observe/log"
import { commitId, FakeBranch } from "../harness/fake-reconciler.ts"
import { until } from "../harness/until.ts"
import { pushEvent, type TestPlugin, withPlugin } from "../harness/with-plugin.ts"
import { withRedis } from "../harness/with-redis.ts"

const CLUSTERS = ["steady01", "steady02", "flapping", "down"]
const RECONCILE_MS = 100
const AT_ONCE = 40
const FLAP_MS = 300

export interface BurstResult {
  merges: number
  /** Deliveries by the status they were answered with. */
  answers: Record<string, number>
  /** Of each cluster, of the source that the merges went to. */
  reconciles: Record<string, number>
  /** Reconciles that the cluster which was down needed to catch up. */
  catchUpReconciles: number
  sendMilliseconds: number
  /** From the last answer until both steady clusters showed the tip. */
  lagMilliseconds: number
  redisKeys: number
  redisBytes: number
  /** Deliveries that lack an outcome in some cluster, at the end. */
  unanswered: number
  /** Number of the commit that each cluster shows, at the end; the tip is `merges` + 2. */
  shown: Record<string, number>
  /** Most reconciles that ran in one cluster at once. */
  most: number
}

/**
 * Sends `merges` webhooks as fast as they are taken to two plugins on one Redis, with a bootstrapper applying
 * all the while, one of four clusters coming and going, and one away until the end.
 */
export function mergeBurst(merges: number): Promise<BurstResult> {
  return withRedis((redis) => {
    const branch = new FakeBranch(RECONCILE_MS)
    const options = { redis: redis.url, reconciler: branch, clusters: CLUSTERS }
    return withPlugin(options, (first) =>
      withPlugin(options, (second) => burst(merges, branch, [first, second])),
    )
  })
}

async function burst(merges: number, branch: FakeBranch, plugins: TestPlugin[]): Promise<BurstResult> {
  const lanes = plugins[0]?.lanes as Lanes
  branch.down.add("down")
  const stop = new AbortController()
  const company = Promise.all([flap(branch, stop.signal), bootstrap(lanes, branch, stop.signal)])

  const start = performance.now()
  const answers = await sendMerges(merges, branch, plugins)
  const sent = performance.now()
  await until(() => ["steady01", "steady02"].every((cluster) => shows(branch, cluster)))
  const shown = performance.now()

  stop.abort()
  await company
  const before = countRuns(branch)
  branch.down.clear()
  await plugins[0]?.deliver("push", pushEvent(branch.merge()), { guid: "the-last" })
  await until(() => CLUSTERS.every((cluster) => shows(branch, cluster)), 120_000)
  await until(async () => (await unanswered(lanes, merges)) === 0, 120_000).catch(() => undefined)
  return {
    merges,
    answers,
    reconciles: before,
    catchUpReconciles: (countRuns(branch).down ?? 0) - (before.down ?? 0),
    sendMilliseconds: Math.round(sent - start),
    lagMilliseconds: Math.round(shown - sent),
    redisKeys: await lanes.redis.dbsize(),
    redisBytes: Number(/used_memory:(\d+)/.exec(await lanes.redis.info("memory"))?.[1]),
    unanswered: await unanswered(lanes, merges),
    shown: Object.fromEntries(
      CLUSTERS.map((cluster) => [cluster, branch.shown.get(`${cluster}/release`) ?? 0]),
    ),
    most: branch.most,
  }
}

async function sendMerges(
  merges: number,
  branch: FakeBranch,
  plugins: TestPlugin[],
): Promise<Record<string, number>> {
  const answers: Record<string, number> = {}
  let next = 0
  async function sender(): Promise<void> {
    while (next < merges) {
      const number = next++
      const plugin = plugins[number % plugins.length]
      const answer = await plugin?.deliver("push", pushEvent(branch.merge()), { guid: `merge-${number}` })
      const status = String(answer?.status)
      answers[status] = (answers[status] ?? 0) + 1
      // What was not enqueued shows as failed on GitHub; somebody sends it again.
      if (answer?.status === 503)
        await plugin?.deliver("push", pushEvent(commitId(branch.tipNumber)), { guid: `merge-${number}` })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, sender))
  return answers
}

async function flap(branch: FakeBranch, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    if (!branch.down.delete("flapping")) branch.down.add("flapping")
    await delay(FLAP_MS, undefined, { signal }).catch(() => undefined)
  }
  branch.down.delete("flapping")
}

async function bootstrap(lanes: Lanes, branch: FakeBranch, signal: AbortSignal): Promise<void> {
  const log = createLog("burst", { level: "silent" })
  while (!signal.aborted) {
    const options = {
      lanes,
      clusters: ["steady01", "flapping"],
      sources: ["release"],
      mode: "full" as const,
      reason: "operator",
      openReconciler: async () => branch,
      timeLimit: 5000,
      log,
    }
    await applyThroughLanes(options, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
    await delay(500, undefined, { signal }).catch(() => undefined)
  }
}

async function unanswered(lanes: Lanes, merges: number): Promise<number> {
  let count = 0
  for (let number = 0; number < merges; number++) {
    const fields = CLUSTERS.map((cluster) => `outcome/${cluster}/release`)
    const outcomes = await lanes.redis.hmget(lanes.key("delivery", `merge-${number}`), ...fields)
    if (!outcomes.every((text) => text?.includes('"written"'))) count++
  }
  return count
}

function shows(branch: FakeBranch, cluster: string): boolean {
  return branch.shown.get(`${cluster}/release`) === branch.tipNumber
}

function countRuns(branch: FakeBranch): Record<string, number> {
  return Object.fromEntries(
    CLUSTERS.map((cluster) => [cluster, branch.runs.filter((run) => run === `${cluster}/release`).length]),
  )
}
